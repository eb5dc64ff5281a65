"""Those who sign in: their roles, what each may do, and what they set for themselves."""

from collections.abc import Mapping
from typing import Final, Literal

Role = Literal["viewer", "author", "publisher", "admin"]
Theme = Literal["system", "light", "dark"]
# What a route or a page asks for. The scopes of keys and the roles of accounts are made of these.
Permission = Literal["read", "draft", "publish", "send", "ingest", "admin", "sdk"]

ROLES: Final[tuple[Role, ...]] = ("viewer", "author", "publisher", "admin")
THEMES: Final[tuple[Theme, ...]] = ("system", "light", "dark")

_EVERYTHING: Final[frozenset[Permission]] = frozenset(
    ("read", "draft", "publish", "send", "ingest", "admin")
)
ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    "viewer": frozenset(("read",)),
    "author": frozenset(("read", "draft")),
    "publisher": frozenset(("read", "draft", "publish", "send")),
    "admin": _EVERYTHING,
}
SCOPE_PERMISSIONS: Final[Mapping[str, frozenset[Permission]]] = {
    "ingest": frozenset(("ingest",)),
    "read": frozenset(("read",)),
    "campaigns": frozenset(("draft", "publish")),
    "send": frozenset(("send",)),
    "admin": _EVERYTHING,
    "sdk": frozenset(("sdk",)),
}
ROLE_WORDS: Final[Mapping[Role, str]] = {
    "viewer": "sees everything, changes nothing",
    "author": "also writes drafts",
    "publisher": "also publishes, stops and sends",
    "admin": "also changes settings, accounts and keys",
}


def roles_with(permission: Permission) -> list[Role]:
    """Return the roles that have a permission, the smallest first."""
    return [role for role in ROLES if permission in ROLE_PERMISSIONS[role]]
