"""What pages load: our own styles and modules, and what the front-end build fetched."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from msgspec import Struct

_STATIC: Final = Path(__file__).parent.parent / "static"
_FOLDERS: Final = ("dashboard", "vendor")
_MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """A file as it is sent; `tag` changes with what is in it."""

    text: bytes
    packed: bytes
    tag: str
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Return all files by name, such as "dashboard/shell.js"; read once, a few hundred kB."""
    found = {}
    for folder in _FOLDERS:
        for path in sorted((_STATIC / folder).glob("*")):
            if path.suffix in _MEDIA_TYPES:
                found[f"{folder}/{path.name}"] = _read(path)
    return found


def asset_url(name: str) -> str | None:
    """Return the address of a file, which changes with it; None if the build did not run."""
    asset = assets().get(name)
    return f"/static/{name}?v={asset.tag}" if asset is not None else None


def _read(path: Path) -> Asset:
    text = path.read_bytes()
    packed = gzip.compress(text, 9, mtime=0)
    return Asset(text, packed, sha256(text).hexdigest()[:16], _MEDIA_TYPES[path.suffix])


@get(
    "/static/{folder:str}/{name:str}",
    include_in_schema=False,
    sync_to_thread=False,
    opt={"public": True},
)
def static_file(
    folder: str, name: str, request: Request[Any, Any, Any], v: str = ""
) -> Response[bytes]:
    """Give a file of pages; under the address that goes with its content, for ever."""
    asset = assets().get(f"{folder}/{name}")
    if asset is None:
        raise NotFoundException("there is no such file")
    tag = f'"{asset.tag}"'
    headers = {
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Cache-Control": _FOR_EVER if v == asset.tag else "no-cache",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    if accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.text, media_type=asset.media_type, headers=headers)


def accepts_gzip(request: Request[Any, Any, Any]) -> bool:
    """Return whether a browser takes what is packed."""
    return "gzip" in request.headers.get("accept-encoding", "")
