"""SQL files as queries by name: each begins with a line `-- name: verb_noun`."""

import re
from collections.abc import Mapping
from importlib.resources import files

from segue.errors import SegueError

_NAME = re.compile(r"^-- name: *(.*?) *$", re.MULTILINE)
_VERB_NOUN = re.compile(r"[a-z]+(_[a-z]+)+")


def read_sql(file_name: str) -> str:
    """Return the text of a file in `segue/storage/sql`."""
    return (files("segue.storage") / "sql" / file_name).read_text(encoding="utf-8")


def load_queries(file_name: str) -> Mapping[str, str]:
    """Return the queries of a file by name."""
    return parse_queries(read_sql(file_name), file_name)


def parse_queries(text: str, file_name: str) -> Mapping[str, str]:
    """Return the queries of a text by name.

    Raises:
        SegueError: a name is not of the form verb_noun, is there twice, or has no query.
    """
    _, *pieces = _NAME.split(text)
    queries: dict[str, str] = {}
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        lines = (line for line in body.splitlines() if not line.lstrip().startswith("--"))
        query = "\n".join(lines).strip().removesuffix(";")
        if not _VERB_NOUN.fullmatch(name):
            raise SegueError(f"{file_name}: the query name {name!r} is not of the form verb_noun.")
        if name in queries:
            raise SegueError(f"{file_name}: there are two queries named {name!r}.")
        if not query:
            raise SegueError(f"{file_name}: there is no query below the name {name!r}.")
        queries[name] = query
    return queries
