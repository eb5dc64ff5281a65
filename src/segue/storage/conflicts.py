"""What the stores say when a write does not fit what is there: the same words in both."""

from segue.errors import ConflictError


def not_next(seq: int, place: str) -> ConflictError:
    """Return what to say when a block is not the next one of the log."""
    return ConflictError(
        f"Block {seq} is not the next one of the log in {place}: somebody else writes there. "
        "Let one server at a time use the folder."
    )


def slug_taken(slug: str) -> ConflictError:
    """Return what to say when a campaign would get a slug that another one has."""
    return ConflictError(f"There is another campaign with the slug {slug!r}. Choose another slug.")


def email_taken(email: str) -> ConflictError:
    """Return what to say when an account would get an address that another one has."""
    return ConflictError(f"There is an account with the address {email!r} already.")
