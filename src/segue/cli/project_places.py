"""Where a project is planned and applied: a data folder, or a server that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import httpx2
import msgspec

from segue.cli.data_folder import settings_here
from segue.clock import SystemClock
from segue.errors import NotFoundError, SegueError
from segue.model.problems import InvalidError, Problem
from segue.services.configuration import Configuration, decode_configuration, document_of
from segue.services.project_plan import ProjectPlan
from segue.services.projects import StoredProjects
from segue.storage.open import (
    FolderInUseError,
    open_database,
    open_for_reading,
    open_memory,
)

_TIMEOUT_S: Final = 600.0  # before a publication the server may read back all of its log


class Place(Protocol):
    """What can be asked about the documents of a place."""

    def export(self) -> Configuration:
        """Return everything that people wrote there."""

    def plan(self, wanted: Configuration, *, prune: bool = False) -> ProjectPlan:
        """Return what an apply would change there."""

    def apply(
        self, wanted: Configuration, *, prune: bool = False, expected: str | None = None
    ) -> ProjectPlan:
        """Change it, all or nothing."""


@contextmanager
def folder_to_read(data: str | None, *, may_be_missing: bool = False) -> Iterator[Place]:
    """Open a data folder to look at it; a server may have it open.

    Raises:
        NotFoundError: there is none, and that is not taken for an empty one.
    """
    data_dir = settings_here(data=data).data_dir
    try:
        stores = open_for_reading(data_dir)
    except NotFoundError:
        if not may_be_missing:
            raise
        stores = open_memory()
    with stores:
        yield StoredProjects(stores, SystemClock())


@contextmanager
def folder_to_change(data: str | None) -> Iterator[Place]:
    """Open a data folder, which is made if it is not there.

    Raises:
        SegueError: a server has it open.
    """
    settings = settings_here(data=data)
    try:
        stores = open_database(settings.database_url)
    except FolderInUseError as error:
        message = (
            f"a server has the data folder {settings.data_dir} open; work through the server: "
            f"--url {settings.base_url} --key KEY"
        )
        raise SegueError(message) from error
    with stores:
        yield StoredProjects(stores, SystemClock())


class RemoteProjects:
    """The verbs of a server, by its API."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = url
        self._client = httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)

    def export(self) -> Configuration:
        """Return everything that people wrote there."""
        return decode_configuration(self._ask("GET", "export", {}, None))

    def plan(self, wanted: Configuration, *, prune: bool = False) -> ProjectPlan:
        """Return what an apply would change there."""
        answer = self._ask("POST", "plan", {"prune": prune}, wanted)
        return msgspec.convert(answer, ProjectPlan)

    def apply(
        self, wanted: Configuration, *, prune: bool = False, expected: str | None = None
    ) -> ProjectPlan:
        """Change it, all or nothing."""
        query = {"prune": prune, **({"expect": expected} if expected else {})}
        return msgspec.convert(self._ask("POST", "apply", query, wanted), ProjectPlan)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _ask(
        self, method: str, verb: str, query: dict[str, Any], wanted: Configuration | None
    ) -> Any:
        body = msgspec.json.encode(document_of(wanted)) if wanted is not None else None
        try:
            answer = self._client.request(
                method,
                f"/api/v1/projects/{verb}",
                params=query,
                content=body,
                headers={"Content-Type": "application/json"},
            )
            told = msgspec.json.decode(answer.content)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            message = f"no Segue server answers at {self._url}: {error}"
            raise SegueError(message) from error
        if answer.is_success:
            return told
        if isinstance(told, dict) and told.get("errors"):
            raise InvalidError(msgspec.convert(told["errors"], list[Problem]), "The project")
        detail = told.get("detail") if isinstance(told, dict) else None
        raise SegueError(f"the server answers {answer.status_code}: {detail or told}")
