"""One server for each module, and a member of the team for each role."""

from collections.abc import Iterator

import pytest
from tests.support.members import Team, member
from tests.support.servers import SegueServer

from segue.model.accounts import ROLES


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("dashboard") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def team(server: SegueServer) -> Team:
    return {role: member(server, role) for role in ROLES}
