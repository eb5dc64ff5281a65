"""Outgoing calls: to the address that was checked, under the name that was asked for, bounded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from segue.channels.http import (
    ForbiddenAddressError,
    HttpClient,
    InvalidCallError,
    UnreachableError,
)
from segue.model.limits import RESPONSE_BYTES_MAX
from tests.channels.certificates import certificate
from tests.channels.fake_http import WebServer, web_server
from tests.channels.test_guard import FORBIDDEN, ODDLY_SPELT

pytestmark = pytest.mark.slow

LOCAL = ["127.0.0.0/8"]


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with web_server() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(5.0, LOCAL)
    yield made
    await made.close()


class Names:
    """A resolver of the test's own."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_call_is_made_and_answered(web: WebServer, client: HttpClient) -> None:
    web.say(201, {"X-Said": "yes"}, b"made")
    answer = await client.call("put", f"{web.url}/a%20b?c=d", {"X-A": "b"}, b"body")
    assert (answer.status, answer.headers["x-said"], answer.body) == (201, "yes", b"made")
    asked = web.asked[0]
    assert (asked.method, asked.path, asked.body) == ("PUT", "/a%20b?c=d", b"body")
    assert asked.headers["x-a"] == "b"
    assert asked.headers["host"] == f"127.0.0.1:{web.port}"


async def test_a_connection_is_used_again(web: WebServer, client: HttpClient) -> None:
    for _ in range(5):
        await client.call("POST", web.url, {}, b"x")
    assert len(web.asked) == 5
    assert web.connection_count == 1


async def test_connections_are_kept_for_a_bounded_number_of_hosts(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.channels.http._HOSTS_KEPT_MAX", 2)
    client = HttpClient(5.0, LOCAL, Names(["127.0.0.1"]))
    for name in ("a", "b", "c", "c", "b", "a"):
        await client.call("POST", f"http://{name}.test:{web.port}", {}, b"x")
    await client.close()
    assert web.connection_count == 4


@pytest.mark.parametrize("host", [*FORBIDDEN, *ODDLY_SPELT])
async def test_a_forbidden_address_is_refused_without_a_look_up(host: str) -> None:
    if "%" in host:
        return  # no URL holds a zone; the guard's own test has it
    names = Names(["8.8.8.8"])
    client = HttpClient(5.0, [], names)
    shown = f"[{host}]" if ":" in host else host
    # The URL's own rules refuse a few spellings before they are taken for addresses.
    with pytest.raises((ForbiddenAddressError, InvalidCallError), match="address"):
        await client.call("POST", f"http://{shown}/", {}, b"")
    await client.close()
    assert not names.asked


async def test_a_name_of_this_machine_is_refused(web: WebServer) -> None:
    client = HttpClient(5.0, [])
    with pytest.raises(ForbiddenAddressError, match="localhost is at"):
        await client.call("POST", f"http://localhost:{web.port}/", {}, b"")
    await client.close()
    assert web.connection_count == 0


@pytest.mark.parametrize("found", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1"])
async def test_a_name_is_refused_for_the_address_behind_it(found: str) -> None:
    client = HttpClient(5.0, [], Names([found]))
    with pytest.raises(ForbiddenAddressError, match=r"shop\.test is at"):
        await client.call("POST", "https://shop.test/", {}, b"")
    await client.close()


async def test_a_name_that_changes_its_address_meanwhile_gains_nothing(web: WebServer) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    client = HttpClient(5.0, LOCAL, names)
    url = f"http://shop.test:{web.port}/"
    await client.call("POST", url, {}, b"")
    with pytest.raises(ForbiddenAddressError):
        await client.call("POST", url, {}, b"")
    await client.close()
    assert names.asked == ["shop.test"] * 2, "one look-up a call: what was checked is called"
    assert [asked.headers["host"] for asked in web.asked] == [f"shop.test:{web.port}"]


async def test_of_several_addresses_only_allowed_ones_are_called_in_turn(web: WebServer) -> None:
    client = HttpClient(5.0, LOCAL, Names(["10.0.0.1", "127.0.0.2", "127.0.0.1"]))
    answer = await client.call("POST", f"http://shop.test:{web.port}/", {}, b"")
    await client.close()
    assert answer.status == 200


async def test_an_ipv6_address_can_be_called() -> None:
    client = HttpClient(5.0, ["::1/128"])
    try:
        async with web_server(host="::1") as web:
            answer = await client.call("POST", f"http://[::1]:{web.port}/", {}, b"")
            assert answer.status == 200
            assert web.asked[0].headers["host"] == f"[::1]:{web.port}"
    except OSError:
        pytest.skip("this machine has no IPv6")
    finally:
        await client.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(web: WebServer, client: HttpClient, status: int) -> None:
    web.say(status, {"Location": f"{web.url}/elsewhere"})
    answer = await client.call("POST", web.url, {}, b"")
    assert answer.status == status
    assert len(web.asked) == 1


async def test_cookies_are_not_kept(web: WebServer, client: HttpClient) -> None:
    web.say(200, {"Set-Cookie": "a=b"})
    for _ in range(2):
        await client.call("POST", web.url, {}, b"")
    assert "cookie" not in web.asked[1].headers


async def test_a_certificate_is_checked_for_each_name_even_at_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, file = certificate(tmp_path, "shop.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    client = HttpClient(5.0, LOCAL, Names(["127.0.0.1"]))
    async with web_server(tls) as web:
        for _ in range(2):
            assert (await client.call("POST", f"https://shop.test:{web.port}", {}, b"")).status
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await client.call("POST", f"https://other.test:{web.port}", {}, b"")
        await client.close()
    assert not caught.value.was_sent
    assert len(web.asked) == 2


async def test_of_a_huge_answer_only_the_beginning_is_read(
    web: WebServer, client: HttpClient
) -> None:
    answer = await client.call("GET", f"{web.url}/huge", {}, None)
    assert len(answer.body) == RESPONSE_BYTES_MAX
    assert web.written_bytes < 64 * RESPONSE_BYTES_MAX


async def test_an_answer_that_breaks_off_still_counts(web: WebServer) -> None:
    client = HttpClient(0.2, LOCAL)
    answer = await client.call("GET", f"{web.url}/drip", {}, None)
    await client.close()
    assert (answer.status, answer.body) == (200, b"begun")


@pytest.mark.parametrize(("path", "said"), [("/slow", "Timeout"), ("/drop", "Read|Protocol")])
async def test_a_call_that_was_made_and_not_answered_may_have_arrived(
    web: WebServer, path: str, said: str
) -> None:
    client = HttpClient(0.2, LOCAL)
    with pytest.raises(UnreachableError, match=said) as caught:
        await client.call("POST", web.url + path, {}, b"x")
    await client.close()
    assert caught.value.was_sent


async def test_a_server_that_is_not_there_was_sent_nothing(client: HttpClient) -> None:
    async with web_server() as gone:
        url = gone.url
    with pytest.raises(UnreachableError) as caught:
        await client.call("POST", url, {}, b"x")
    assert not caught.value.was_sent


async def test_a_server_that_does_not_even_shake_hands_was_sent_nothing() -> None:
    taken: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    client = HttpClient(0.2, LOCAL)
    with pytest.raises(UnreachableError) as caught:
        await client.call("POST", f"https://127.0.0.1:{port}/", {}, b"x")
    await client.close()
    silent.close()
    for writer in taken:
        writer.close()
        await writer.wait_closed()
    assert taken
    assert not caught.value.was_sent


async def test_a_look_up_that_fails_or_never_ends_is_not_a_forbidden_address() -> None:
    async def none(_: str) -> list[str]:
        raise OSError("no such name")

    async def never(_: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    for resolve in (none, never, Names([])):
        client = HttpClient(0.05, [], resolve)
        with pytest.raises(UnreachableError) as caught:
            await client.call("POST", "https://shop.test/", {}, b"")
        await client.close()
        assert not caught.value.was_sent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.test",
        "//shop.test/",
        "ftp://shop.test/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://a b/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.0.0.1/",
        "http://shop.test:99999/",
        "http://shop.test:0/",
        "http://shop.test:port/",
        "http://[::1/",
        "http://" + "a" * 70 + "/\x00",
    ],
)
async def test_what_is_no_url_is_refused(client: HttpClient, url: str) -> None:
    with pytest.raises(InvalidCallError):
        await client.call("POST", url, {}, b"")


async def test_a_label_too_long_for_a_name_is_refused() -> None:
    async def as_the_system_does(host: str) -> list[str]:
        host.encode("idna")
        return []

    long = HttpClient(5.0, [], as_the_system_does)
    with pytest.raises(InvalidCallError):
        await long.call("POST", f"http://{'a' * 70}.test/", {}, b"")
    await long.close()


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("", {}),
        ("GET /other HTTP/1.1\r\nX: ", {}),
        ("PÖST", {}),
        ("POST", {"X-A": "b\r\nX-C: d"}),
        ("POST", {"X A": "b"}),
        ("POST", {"": "b"}),
        ("POST", {"X-Ä": "b"}),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    web: WebServer, client: HttpClient, method: str, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidCallError):
        await client.call(method, web.url, headers, b"")
    assert not web.asked


async def test_a_header_outside_ascii_goes_out_in_utf_8(web: WebServer, client: HttpClient) -> None:
    await client.call("POST", web.url, {"X-Name": " Zoë "}, b"")
    assert web.asked[0].headers["x-name"] == "Zoë"


async def test_headers_of_the_connection_itself_are_not_the_authors(
    web: WebServer, client: HttpClient
) -> None:
    headers = {
        "Host": "inner.test",
        "content-length": "1000",
        "Transfer-Encoding": "chunked",
        "Connection": "close",
        "Expect": "100-continue",
    }
    await client.call("POST", web.url, headers, b"body")
    await client.call("POST", web.url, {}, b"body")
    assert web.connection_count == 1
    assert web.asked[0].body == b"body"
    assert web.asked[0].headers["host"] == f"127.0.0.1:{web.port}"
    assert web.asked[0].raw_head.lower().count(b"\r\nhost:") == 1


async def test_credentials_in_a_url_become_a_header_unless_there_is_one(
    web: WebServer, client: HttpClient
) -> None:
    url = f"http://us%40er:p@127.0.0.1:{web.port}/"
    await client.call("POST", url, {}, b"")
    await client.call("POST", url, {"authorization": "Bearer x"}, b"")
    assert [one.headers["authorization"] for one in web.asked] == ["Basic dXNAZXI6cA==", "Bearer x"]
