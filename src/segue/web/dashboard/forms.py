"""What a page's form sent: texts by name; and what is wrong with them, by field."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.exceptions import ClientException

from segue.model.problems import InvalidError

_FIELDS_MAX = 2_000


class Form:
    """The fields of a form; what was not sent is empty."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """Return a field's text without white space around it."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """Return a field's text as it was typed: passwords may begin with a space."""
        return self._values.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Return the values of a field that may be ticked several times."""
        return self._values.get(name, [])

    def has(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return name in self._values

    def names(self) -> Iterable[str]:
        """Return the names of all fields that were sent."""
        return self._values


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """Read the body of a form.

    Raises:
        ClientException: it is none, or has too many fields.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if media_type != "application/x-www-form-urlencoded":
        message = f"a form comes as application/x-www-form-urlencoded, not as {media_type!r}"
        raise ClientException(message, status_code=415)
    try:
        body = (await request.body()).decode()
        return Form(parse_qsl(body, keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError as error:
        raise ClientException(f"the form could not be read: {error}") from None


def faults_of(error: InvalidError) -> Mapping[str, str]:
    """Return what is wrong, by field; what is about none of them stands under ""."""
    faults: dict[str, str] = {}
    for problem in error.problems:
        earlier = faults.get(problem.path)
        faults[problem.path] = f"{earlier} {problem.message}" if earlier else problem.message
    return faults
