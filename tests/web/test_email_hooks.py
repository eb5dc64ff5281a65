"""The webhooks of email providers on a real server."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from tests.support.provider_calls import (
    MAILGUN_KEY,
    POSTMARK_LOGIN,
    TOPIC,
    Mailgun,
    Postmark,
    SendGrid,
    Sns,
)
from tests.support.servers import SegueServer

from segue.channels.email_hooks import HookCall
from segue.model.limits import HOOK_FAILURES_PER_MINUTE_MAX, HOOK_REQUEST_BYTES_MAX

pytestmark = pytest.mark.slow

PROVIDERS = ("sendgrid", "ses", "mailgun", "postmark")
SENDGRID = SendGrid()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_CHANNELS__EMAIL__SENDGRID__VERIFICATION_KEY": SENDGRID.verification_key,
        "SEGUE_CHANNELS__EMAIL__SES__TOPIC_ARNS": json.dumps([TOPIC]),
        "SEGUE_CHANNELS__EMAIL__MAILGUN__SIGNING_KEY": MAILGUN_KEY,
        "SEGUE_CHANNELS__EMAIL__POSTMARK__USERNAME": POSTMARK_LOGIN[0],
        "SEGUE_CHANNELS__EMAIL__POSTMARK__PASSWORD": POSTMARK_LOGIN[1],
    }
    with SegueServer(tmp_path_factory.mktemp("hooks") / "data", **settings) as server:
        yield server


_addresses = iter(range(1, 255))


@pytest.fixture
def segue(server: SegueServer) -> Iterator[httpx2.Client]:
    """A client at an address of its own: failures are counted by address."""
    headers = {"X-Forwarded-For": f"192.0.2.{next(_addresses)}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def post(segue: httpx2.Client, provider: str, call: HookCall) -> httpx2.Response:
    url = f"/hooks/email/{provider}"
    return segue.post(url, content=call.body, headers=dict(call.headers))


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["status"] == status
    return body


def now_s() -> int:
    return int(time.time())


def test_a_call_of_each_provider_is_answered_with_what_became_of_it(segue: httpx2.Client) -> None:
    calls = {
        "sendgrid": SENDGRID.call([{"event": "delivered", "smtp-id": "<x@y>"}] * 2, now_s()),
        "mailgun": Mailgun().call({"event": "delivered"}, now_s()),
        "postmark": Postmark().call({"RecordType": "Delivery"}),
    }
    for provider, call in calls.items():
        answer = post(segue, provider, call)
        assert answer.status_code == 200, answer.text
        count = 2 if provider == "sendgrid" else 1
        counts = {"accepted": 0, "duplicates": 0, "unmatched": count, "unused": 0}
        assert answer.json() == counts


def test_who_is_not_the_provider_is_refused_and_counted(
    segue: httpx2.Client, server: SegueServer
) -> None:
    problem(post(segue, "sendgrid", SendGrid().call([], now_s())), 403)
    problem(post(segue, "mailgun", Mailgun("another key of mine").call({"event": "x"}, 1)), 403)
    problem(post(segue, "postmark", Postmark("x", "y").call({"RecordType": "Open"})), 401)
    stranger = Sns("arn:aws:sns:eu-west-1:999999999999:mine").envelope("x", datetime.now(UTC))
    problem(post(segue, "ses", HookCall({}, json.dumps(stranger).encode())), 403)
    metrics = httpx2.get(f"{server.url}/metrics").text
    for provider in PROVIDERS:
        line = f'segue_message_reports_total{{result="forged",source="{provider}"}}'
        assert line in metrics


def test_a_wrong_login_is_asked_for_again_as_http_does(segue: httpx2.Client) -> None:
    answer = post(segue, "postmark", HookCall({}, b"{}"))
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_call_of_mailgun_that_came_before_is_not_to_come_again(segue: httpx2.Client) -> None:
    call = Mailgun("key-0123456789abcdef").call({"event": "delivered"}, now_s() - 7)
    assert post(segue, "mailgun", call).status_code == 200
    problem(post(segue, "mailgun", call), 406)


def test_an_unknown_provider_is_not_found_and_the_others_are_named(segue: httpx2.Client) -> None:
    for path in ("/hooks/email/sparkpost", "/hooks/email/%00"):
        assert "sendgrid, ses, mailgun, postmark" in problem(segue.post(path), 404)["detail"]
    assert segue.get("/hooks/email/ses").status_code == 405


@pytest.mark.parametrize("provider", PROVIDERS)
def test_malformed_bodies_are_refused_quickly_and_never_an_error_of_ours(
    segue: httpx2.Client, provider: str
) -> None:
    bodies = (
        *(b"", b"\xff\xfe", b"nonsense", b"7", b"null", b"{}", b"[]", b"[{}]", b'{"a":'),
        *(b"[" * 1_000_000, b'{"a":' * 1_000_000, b'{"signature":{"token":"\\ud800"}}'),
    )
    for body in bodies:
        calls = [HookCall({}, body), HookCall(Postmark().headers, body)]
        calls.append(HookCall(SENDGRID.headers(body, now_s()), body))
        for call in calls:
            began = time.monotonic()
            answer = post(segue, provider, call)
            assert time.monotonic() - began < 5
            assert answer.status_code in (400, 401, 403) or (
                # Signed, and a list: what cannot be read in it is counted.
                answer.status_code == 200 and provider == "sendgrid" and body in (b"[]", b"[{}]")
            )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_huge_body_is_cut_off(segue: httpx2.Client, provider: str) -> None:
    body = b'[{"event":"delivered"},' + b" " * HOOK_REQUEST_BYTES_MAX + b"{}]"
    call = HookCall({**Postmark().headers, **SENDGRID.headers(body, now_s())}, body)
    problem(post(segue, provider, call), 413)


def test_an_address_that_keeps_failing_is_kept_out_and_others_are_not(
    segue: httpx2.Client, server: SegueServer
) -> None:
    forged = SendGrid().call([], now_s())
    statuses = [
        post(segue, "sendgrid", forged).status_code for _ in range(HOOK_FAILURES_PER_MINUTE_MAX + 5)
    ]
    assert statuses[:HOOK_FAILURES_PER_MINUTE_MAX] == [403] * HOOK_FAILURES_PER_MINUTE_MAX
    assert statuses[-1] == 429
    good = SENDGRID.call([], now_s())
    kept_out = post(segue, "sendgrid", good)
    assert int(kept_out.headers["retry-after"]) >= 1
    problem(kept_out, 429)
    other = httpx2.post(
        f"{server.url}/hooks/email/sendgrid", content=good.body, headers=dict(good.headers)
    )
    assert other.status_code == 200


def test_good_calls_are_not_bounded(segue: httpx2.Client) -> None:
    good = SENDGRID.call([], now_s())
    for _ in range(HOOK_FAILURES_PER_MINUTE_MAX * 2):
        assert post(segue, "sendgrid", good).status_code == 200


def test_the_hooks_stand_in_the_description(segue: httpx2.Client) -> None:
    paths = segue.get("/schema").json()["paths"]
    assert list(paths["/hooks/email/{provider}"]) == ["post"]
