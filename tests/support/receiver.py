"""A real HTTP server that takes webhooks, and answers as it is told."""

import contextlib
from collections.abc import Iterator

from tests.support.http_server import QuietHandler, serving


class Receiver:
    """What came in, and how to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []  # then 200
        self.accepted_connections = 0


@contextlib.contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    """Run a receiver on a free loopback port."""
    receiver = Receiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            receiver.requests.append((self.path, dict(self.headers), body))
            status, headers, answer = (
                receiver.answers.pop(0) if receiver.answers else (200, {}, b"ok")
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(answer)

        def setup(self) -> None:
            receiver.accepted_connections += 1
            super().setup()

    with serving(Handler) as origin:
        receiver.url = f"{origin}/hook"
        yield receiver
