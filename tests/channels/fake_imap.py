"""A real IMAP server on a loopback port: as much of RFC 3501 as a reader of one folder needs."""

import contextlib
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from typing import Any

LOGIN = ("bounces", 'p"w/1')


class Post:
    """The mails of the folder, by UID, and how the server is to behave."""

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.validity = 1
        self.capabilities = "IMAP4rev1 UIDPLUS"
        self.hangs_up_at: str | None = None
        self.refuses: str | None = None
        self.login_count = 0
        self.tls: ssl.SSLContext | None = None
        self.is_tls_from_start = False
        self.url = ""

    def put(self, *contents: bytes) -> None:
        for content in contents:
            uid = max(self.flags, default=0) + 1
            self.mails[uid] = content
            self.flags[uid] = set()

    def unread(self) -> list[int]:
        return [uid for uid in self.mails if not self.flags[uid] & {"\\Seen", "\\Deleted"}]


class _Session(socketserver.StreamRequestHandler):
    @property
    def post(self) -> Post:
        assert isinstance(self.server, _Server)
        return self.server.post

    def handle(self) -> None:
        if self.post.is_tls_from_start:
            self.begin_tls()
        self._say("* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            if self.post.hangs_up_at is not None and self.post.hangs_up_at in rest.upper():
                self.post.hangs_up_at = None
                return
            word = rest.upper().removeprefix("UID ").partition(" ")[0]
            if self.post.refuses == word:
                self._say(f"{tag} NO not now")
                continue
            answer = getattr(self, f"do_{word.lower()}")(rest)
            self._say(f"{tag} {answer or 'OK done'}")
            if word == "LOGOUT":
                return
            if word == "STARTTLS" and self.post.tls is not None:
                self.begin_tls()

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def do_starttls(self, _: str) -> str:
        return "OK begin" if self.post.tls is not None else "BAD no TLS here"

    def begin_tls(self) -> None:
        assert self.post.tls is not None
        self.rfile.close()
        self.connection = self.post.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)

    def do_capability(self, _: str) -> None:
        self._say(f"* CAPABILITY {self.post.capabilities}")

    def do_login(self, rest: str) -> str:
        self.post.login_count += 1
        given = re.fullmatch(r'LOGIN (\S+) "(.*)"', rest)
        user, password = LOGIN
        escaped = password.replace('"', r"\"")
        is_right = given is not None and given.groups() == (user, escaped)
        return "OK done" if is_right else f"NO {rest} is wrong"

    def do_select(self, rest: str) -> str:
        if rest != 'SELECT "INBOX"':
            return "NO there is no such folder"
        self._say(f"* {len(self.post.mails)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {self.post.validity}]")
        return "OK done"

    def do_search(self, _: str) -> None:
        self._say(f"* SEARCH {' '.join(map(str, self.post.unread()))}".rstrip())

    def do_fetch(self, rest: str) -> None:
        found = re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
        assert found is not None
        uid, limit = map(int, found.groups())
        if uid in self.post.mails:
            content = self.post.mails[uid][:limit]
            self._say(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(content)}}}")
            self.wfile.write(content + b")\r\n")

    def do_store(self, rest: str) -> None:
        found = re.match(r"UID STORE (\d+) \+FLAGS\.SILENT \((.*)\)", rest)
        assert found is not None
        self.post.flags[int(found[1])] |= set(found[2].split())

    def do_expunge(self, rest: str) -> None:
        uid = int(rest.removeprefix("UID EXPUNGE "))
        assert "\\Deleted" in self.post.flags[uid]
        del self.post.mails[uid]

    def do_logout(self, _: str) -> None:
        self._say("* BYE")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, post: Post) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.post = post

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that left."""


@contextlib.contextmanager
def imap_server() -> Iterator[Post]:
    """Run it in threads of its own."""
    post = Post()
    with _Server(post) as server:
        post.url = f"imap://bounces:p%22w%2F1@127.0.0.1:{server.server_address[1]}/INBOX"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield post
        finally:
            server.shutdown()
            thread.join()
