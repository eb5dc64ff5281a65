"""A shop's page for browser tests: another origin than Segue's, under a strict content policy."""

import contextlib
from collections.abc import Iterator

from tests.support.http_server import QuietHandler, serving

_PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1>
<button id="look">Look</button>
<button id="buy">Buy</button>
<button id="push">Tell me</button>
<div id="cards"></div>
<ul id="problems"></ul>
<script type="module" src="/page.js"></script>
</html>
"""
_SCRIPT = """
import { Segue } from "%(segue)s/sdk/segue.js";
const note = (text) => {
  const item = document.createElement("li");
  item.textContent = text;
  document.querySelector("#problems").append(item);
};
addEventListener("securitypolicyviolation", (event) => note(event.violatedDirective));
addEventListener("error", (event) => note(event.message));
addEventListener("unhandledrejection", (event) => note(event.reason));
const user = new URLSearchParams(location.search).get("user");
const segue = new Segue({ key: "%(key)s", onProblem: note });
if (user) segue.identify(user, { identity: "%(identity)s", attributes: { first_name: "Ann" } });
segue.showCards(document.querySelector("#cards"));
document.querySelector("#look").onclick = () => segue.track("looked", { shelf: 3 });
document.querySelector("#buy").onclick = () => segue.purchase({ productId: "sku-1", price: 9.5 });
"""
# A page whose policy asks for trusted types says which scripts it trusts.
_TRUST = """
const policy = trustedTypes.createPolicy("shop", { createScriptURL: (url) => url });
"""
_SUBSCRIBING = """
document.querySelector("#push").onclick = async ({ target }) => {
  await navigator.serviceWorker.register(policy.createScriptURL("/worker.js"));
  const isAllowed = await segue.enablePush(await navigator.serviceWorker.ready);
  target.textContent = isAllowed ? "We tell you" : "Not allowed";
};
"""
_WORKER = """
importScripts(policy.createScriptURL("%(segue)s/sdk/segue-worker.js"));
"""
_POLICY = (
    "default-src 'none'; script-src 'self' {segue}; connect-src {segue}; base-uri 'none'; "
    "worker-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@contextlib.contextmanager
def shop_page(segue: str, key: str, identity: str = "") -> Iterator[str]:
    """Serve the page on a free loopback port; yield its URL. It takes `?user=` for who visits."""
    texts = {"segue": segue, "key": key, "identity": identity}
    scripts = {
        "/page.js": (_SCRIPT % texts + _TRUST + _SUBSCRIBING).encode(),
        "/worker.js": (_TRUST + _WORKER % texts).encode(),
    }

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
            is_script = self.path in scripts
            body = scripts.get(self.path, _PAGE)
            self.send_response(200 if is_script or self.path.startswith("/?") else 404)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.send_header("Content-Security-Policy", _POLICY.format(segue=segue))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

    with serving(Handler) as origin:
        yield f"{origin}/"
