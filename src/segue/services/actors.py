"""Who asks for something: an account that is signed in, an API key, or a command."""

from msgspec import Struct

from segue.errors import NotAllowedError
from segue.model.accounts import SCOPE_PERMISSIONS, Permission
from segue.storage.account_ports import ActorKind


class Actor(Struct, frozen=True):
    """Somebody with permissions; `name` is what the audit trail calls them."""

    kind: ActorKind
    id: str
    name: str
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Return whether they have a permission."""
        return permission in self.permissions

    def must(self, permission: Permission, what: str) -> None:
        """Refuse who has not a permission; `what` ends the sentence "You may not …".

        Raises:
            NotAllowedError: they have not.
        """
        if not self.may(permission):
            raise NotAllowedError(f"You may not {what}: it takes the permission {permission!r}.")


# A command works on the data folder itself, so whoever runs it could do anything anyway.
COMMAND = Actor("command", "", "command line", SCOPE_PERMISSIONS["admin"])
