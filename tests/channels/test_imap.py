"""Returned mails on a real IMAP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.channels.imap import ImapMailbox, read_imap_url
from segue.channels.mailbox import MailboxDownError
from segue.errors import SegueError
from segue.model.limits import MAIL_REPORT_BYTES_MAX
from tests.channels.certificates import certificate
from tests.channels.fake_imap import Post, imap_server


@pytest.fixture
def post() -> Iterator[Post]:
    with imap_server() as post:
        yield post


@pytest.fixture
def mailbox(post: Post) -> Iterator[ImapMailbox]:
    mailbox = ImapMailbox(read_imap_url(post.url))
    yield mailbox
    mailbox.close()


def test_unread_mails_are_found_the_oldest_first_and_read_as_they_are(
    post: Post, mailbox: ImapMailbox
) -> None:
    post.put(*(b"Subject: %d\r\n\r\n)\r\n\x00\xff" % number for number in range(12)))
    assert mailbox.list_new(3, ()) == ["1", "2", "3"]
    assert mailbox.list_new(100, {"1"}) == [str(number) for number in range(2, 13)]
    assert mailbox.read("2") == b"Subject: 1\r\n\r\n)\r\n\x00\xff"
    assert len(post.unread()) == 12
    assert post.login_count == 1


def test_an_empty_folder_has_no_new_mails(mailbox: ImapMailbox) -> None:
    assert mailbox.list_new(10, ()) == []


def test_no_more_of_a_mail_is_fetched_than_is_read(post: Post, mailbox: ImapMailbox) -> None:
    post.put(b"x" * (MAIL_REPORT_BYTES_MAX + 10))
    mailbox.list_new(1, ())
    assert len(mailbox.read("1")) == MAIL_REPORT_BYTES_MAX


def test_what_was_taken_is_marked_and_what_is_a_persons_stays_unread(
    post: Post, mailbox: ImapMailbox
) -> None:
    post.put(b"1", b"2", b"3")
    mailbox.list_new(10, ())
    mailbox.keep("1", is_seen=True)
    mailbox.keep("2", is_seen=False)
    assert post.flags[1] == {"\\Seen"}
    assert post.unread() == [2, 3]
    assert mailbox.list_new(10, ()) == ["3"]


def test_mails_of_a_folder_that_was_made_anew_are_new(post: Post, mailbox: ImapMailbox) -> None:
    post.put(b"1")
    mailbox.list_new(10, ())
    mailbox.keep("1", is_seen=False)
    assert mailbox.list_new(10, ()) == []
    post.validity = 2
    assert mailbox.list_new(10, ()) == ["1"]


@pytest.mark.parametrize(
    ("capabilities", "left"), [("IMAP4rev1 UIDPLUS", [2]), ("IMAP4rev1", [1, 2])]
)
def test_one_mail_is_deleted_and_no_other(post: Post, capabilities: str, left: list[int]) -> None:
    post.capabilities = capabilities
    mailbox = ImapMailbox(read_imap_url(post.url))
    post.put(b"1", b"2")
    post.flags[2].add("\\Deleted")  # by somebody else, who may think better of it
    mailbox.list_new(10, ())
    mailbox.delete("1")
    assert list(post.mails) == left
    assert "\\Deleted" in post.flags[1]
    mailbox.close()


def test_a_mail_that_is_gone_is_told_apart(post: Post, mailbox: ImapMailbox) -> None:
    post.put(b"1")
    mailbox.list_new(10, ())
    with pytest.raises(FileNotFoundError):
        mailbox.read("7")


@pytest.mark.parametrize("command", ["SELECT", "SEARCH", "FETCH", "STORE", "LOGIN"])
def test_after_a_break_the_next_look_connects_anew(
    post: Post, mailbox: ImapMailbox, command: str
) -> None:
    post.put(b"1")
    post.hangs_up_at = command
    with pytest.raises(MailboxDownError, match=r"127\.0\.0\.1"):
        _look_through(mailbox)
    _look_through(mailbox)
    assert post.unread() == []


def _look_through(mailbox: ImapMailbox) -> None:
    for name in mailbox.list_new(10, ()):
        mailbox.read(name)
        mailbox.keep(name, is_seen=True)


def test_a_refusal_of_one_mail_is_no_trouble_with_the_mailbox(
    post: Post, mailbox: ImapMailbox
) -> None:
    post.put(b"1")
    mailbox.list_new(10, ())
    post.refuses = "STORE"
    with pytest.raises(OSError, match="not now"):
        mailbox.keep("1", is_seen=True)


def test_a_refused_login_shows_no_password(post: Post) -> None:
    mailbox = ImapMailbox(read_imap_url(post.url.replace("p%22", "wrong")))
    with pytest.raises(MailboxDownError, match="refused the login") as caught:
        mailbox.list_new(10, ())
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_tls_is_done_with_the_server_that_was_called_and_with_no_other(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    post.put(b"1")
    post.tls, file = certificate(tmp_path, "127.0.0.1")
    post.is_tls_from_start = scheme == "imaps"
    post.capabilities += " STARTTLS"
    server = read_imap_url(post.url.replace("imap://", f"{scheme}://"))
    with pytest.raises(MailboxDownError, match="CERTIFICATE_VERIFY_FAILED"):
        ImapMailbox(server).list_new(1, ())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    mailbox = ImapMailbox(server)
    assert mailbox.list_new(1, ()) == ["1"]
    mailbox.close()


def test_tls_that_is_required_is_not_done_without(post: Post) -> None:
    server = read_imap_url(post.url.replace("imap://", "imap+starttls://"))
    with pytest.raises(MailboxDownError):
        ImapMailbox(server).list_new(1, ())
    assert post.login_count == 0


def test_a_folder_that_is_not_there_is_told(post: Post) -> None:
    mailbox = ImapMailbox(read_imap_url(post.url.replace("INBOX", "Bounces")))
    with pytest.raises(MailboxDownError, match="no folder 'Bounces'"):
        mailbox.list_new(10, ())
    mailbox.close()


def test_a_server_that_is_not_there_is_told(post: Post) -> None:
    url = re_port(post.url)
    with pytest.raises(MailboxDownError, match="refused"):
        ImapMailbox(read_imap_url(url)).list_new(10, ())


def re_port(url: str) -> str:
    """Return the URL with a port that nobody listens on."""
    return f"{url.rpartition(':')[0]}:1/INBOX"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "imaps://mail.test/INBOX",
        "imaps://user@mail.test/INBOX",
        "pop3://user:secret@mail.test/INBOX",
        "imaps://user:secret@mail.test:no/INBOX",
        "imaps://user:secret@mail.test/INBOX?x=1",
        "imap://user:secret@mail.test/INBOX",
        "imaps://user:secret@[::/INBOX",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SegueError, match="imap_url") as caught:
        read_imap_url(url)
    assert "secret" not in str(caught.value)


def test_a_url_says_where_and_who() -> None:
    server = read_imap_url("imaps://a%40b.test:p%2F@mail.test/Shop/Bounces%20in")
    assert (server.host, server.port, server.folder) == ("mail.test", 993, "Shop/Bounces in")
    assert (server.username, server.password) == ("a@b.test", "p/")
    assert "p/" not in repr(server)
