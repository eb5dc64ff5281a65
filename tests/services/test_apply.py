"""An apply changes all or nothing, at one instant, and a second time nothing at all."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.clock import FixedClock
from segue.engine.checks import check_campaign, decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.errors import ConflictError
from segue.model.instants import DAY, HOUR
from segue.model.log_records import Block, CampaignPublished, SegmentSet, WorkspaceSet
from segue.model.problems import InvalidError
from segue.services.configuration import CampaignEntry, Configuration
from segue.services.project_export import write_project
from segue.services.project_files import read_folder
from segue.services.projects import Projects, StoredProjects
from segue.storage.memory import MemoryJournal
from segue.storage.open import Stores, open_memory
from segue.storage.ports import StoredCampaign
from tests.support.desk import HTML, START, Desk, clicked
from tests.support.documents import follower
from tests.support.random_worlds import world_of_seed

pytestmark = pytest.mark.slow

FANS = {"slug": "fans", "name": "Fans", "filter": {"event": {"name": "go", "count": {"gte": 2}}}}


def entry(slug: str, *triggers: dict[str, Any], **parts: Any) -> CampaignEntry:
    return CampaignEntry(decode_campaign(follower(slug, *triggers, **{"messages": HTML, **parts})))


def project(*entries: CampaignEntry, **more: Any) -> Configuration:
    return Configuration(
        {one.document.slug: one for one in entries},
        {"fans": decode_segment(FANS)},
        decode_workspace({"time_zone": "Europe/Paris"}),
        **more,
    )


SALE = project(entry("sale", {"event": "go"}), entry("second", *clicked("sale")))


class FullDisk(MemoryJournal):
    """A journal that refuses to write while its disk is full."""

    is_full = False

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        super().append(block, campaigns)


# On a running server


async def test_an_apply_is_one_instant_and_holds_at_once(desk: Desk) -> None:
    projects = Projects(desk.live.runtime)
    await projects.apply(SALE)
    block = list(desk.live.stores.journal.read_log())[-1]
    assert [type(one) for one in block.records] == [
        WorkspaceSet,
        SegmentSet,
        CampaignPublished,
        CampaignPublished,
    ]
    assert len({one.received_at for one in block.records}) == 1
    assert [one.document.slug for one in block.records[2:]] == ["second", "sale"]  # type: ignore[union-attr]
    assert {one.published_at for one in desk.campaigns.all()} == {block.records[0].received_at}
    await desk.knows("ann")
    await desk.happens("go", "ann")
    await desk.clicks("sale", "ann")
    assert [kind for _, kind, _ in desk.decided("second")] == ["enter", "send"]


async def test_a_second_apply_hands_nothing_in(desk: Desk) -> None:
    projects = Projects(desk.live.runtime)
    await projects.apply(SALE)
    end = desk.live.stores.journal.log_end()
    assert (await projects.apply(SALE)).changes == []
    assert (await projects.apply(projects.export(), prune=True)).changes == []
    assert desk.live.stores.journal.log_end() == end


async def test_what_cannot_be_written_leaves_everything_as_it_was() -> None:
    desk = Desk()
    stores = open_memory()
    journal = FullDisk()
    desk.live.stores = Stores(journal, stores.snapshot)
    await desk.open()
    projects = Projects(desk.live.runtime)
    before = projects.export()
    journal.is_full = True
    with pytest.raises(OSError, match="no space left"):
        await projects.apply(SALE)
    assert projects.export() == before
    assert desk.campaigns.all() == []
    journal.is_full = False
    assert (await projects.apply(SALE)).publish_order == ["second", "sale"]
    assert projects.export() == SALE
    await desk.live.stop()


async def test_a_fault_keeps_all_documents_back(desk: Desk) -> None:
    projects = Projects(desk.live.runtime)
    before = projects.export()
    with pytest.raises(InvalidError):
        await projects.apply(project(entry("good"), entry("bad", *clicked("gone"))))
    assert projects.export() == before


async def test_a_plan_for_what_there_was_is_refused(desk: Desk) -> None:
    projects = Projects(desk.live.runtime)
    planned = await projects.plan(SALE)
    desk.draft("meanwhile")
    with pytest.raises(ConflictError, match="plan again"):
        await projects.apply(SALE, expected=planned.fingerprint)
    again = await projects.plan(SALE)
    await projects.apply(SALE, expected=again.fingerprint)


async def test_two_applies_at_once_come_one_after_the_other(desk: Desk) -> None:
    projects = Projects(desk.live.runtime)
    other = project(entry("sale", {"event": "go"}, name="Other"))
    done = await asyncio.gather(projects.apply(SALE), projects.apply(other))
    # Whichever comes first makes the sale; the other one edits it, and the rest is made once.
    assert sum(len(one.changes) for one in done) == 5
    assert desk.campaigns.find("sale").version == 2


async def test_a_new_segment_knows_what_happened_before_it(desk: Desk) -> None:
    """design.md: history is read back from the log before a segment goes live."""
    await desk.happens("go", "ann", "ann")
    projects = Projects(desk.live.runtime)
    await projects.apply(project(entry("offer", {"event": "look"}, audience={"segment": "fans"})))
    await desk.knows("ann", "bob")
    await desk.happens("look", "ann", "bob")
    assert [(user, kind) for user, kind, _ in desk.decided("offer")] == [
        ("ann", "enter"),
        ("ann", "send"),
        ("bob", "refuse"),
    ]


# On a data folder that no server has open


async def test_a_block_appended_is_decided_about_by_the_next_server(desk: Desk) -> None:
    live = desk.live
    await desk.happens("go", "ann", "ann")
    await live.crash()
    live.clock.advance(DAY)
    end = live.stores.journal.log_end()
    done = StoredProjects(live.stores, live.clock).apply(SALE)
    assert done.publish_order == ["second", "sale"]
    assert live.stores.journal.log_end().seq == end.seq + 1
    await desk.open()
    assert desk.statuses() == {"sale": "active", "second": "active"}
    assert live.runtime.plan.workspace.time_zone == "Europe/Paris"
    assert live.runtime.states.get("ann").histories  # of the new segment
    await desk.knows("ann")
    await desk.happens("go", "ann")
    assert [kind for _, kind, _ in desk.decided("sale")] == ["enter", "send"]


async def test_time_stands_still_on_a_folder_that_no_server_has_open(desk: Desk) -> None:
    """Nothing is sent by a command: what came due meanwhile is the next server's to send."""
    live = desk.live
    delivery = {"triggers": [{"event": "go"}], "delay": {"after": "1h"}}
    desk.draft("later", delivery=delivery)
    await desk.publish("later")
    await desk.knows("ann")
    await desk.happens("go", "ann")
    await live.crash()
    live.clock.advance(2 * HOUR)
    projects = StoredProjects(live.stores, live.clock)
    assert projects.plan(SALE, prune=True).left == []
    projects.apply(SALE, prune=True)
    assert live.mailbox.of_user("ann") == []
    await desk.open()
    decided = [(kind, reason) for _, kind, reason in desk.decided("later")]
    assert decided == [("enter", None), ("send", None), ("skip", "campaign_stopped")]


def test_the_plan_at_the_end_of_the_log_needs_no_checkpoint() -> None:
    projects = StoredProjects(open_memory(), FixedClock(START))
    projects.apply(SALE)
    assert projects.export() == SALE
    assert projects.plan(SALE).changes == []


# Any set of documents


def random_configuration(seed: int) -> Configuration:
    """Return random campaigns in random statuses, with segments and a workspace."""
    random = Random(seed)
    found = Configuration()
    for slug, document in world_of_seed(seed).campaigns.items():
        if check_campaign(document):
            continue  # it follows itself
        status = random.choice(("draft", "active", "active", "stopped"))
        found.campaigns[slug] = CampaignEntry(document, status)
        if document.audience is not None:
            raw = {"slug": slug, "name": f"Of {slug}\n", "filter": {"not": {"segment": "fans"}}}
            found.segments[slug] = decode_segment(raw)
    found.segments["fans"] = decode_segment(FANS)
    cap = {"slug": "cap", "messages_max": random.randint(1, 9), "within": "1d"}
    found.workspace = decode_workspace({"caps": [cap] * random.randrange(2)})
    return found


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.yaml")}


@given(st.integers(0, 2**32))
def test_export_then_apply_changes_nothing_and_exports_the_same_bytes(seed: int) -> None:
    wanted = random_configuration(seed)
    first = StoredProjects(open_memory(), FixedClock(START))
    try:
        first.apply(wanted)
    except InvalidError:  # a loop, or a reference that cannot be: it may be written all the same
        wanted.campaigns = {
            slug: CampaignEntry(one.document, "draft") for slug, one in wanted.campaigns.items()
        }
        first.apply(wanted)
    with TemporaryDirectory() as name:
        one, other = Path(name, "one"), Path(name, "other")
        write_project(one, first.export())
        folder = read_folder(one).configuration
        assert first.plan(folder, prune=True).changes == []
        # At another time, and an earlier one: no schedule that was to come is past by then.
        second = StoredProjects(open_memory(), FixedClock(START - DAY))
        second.apply(folder)
        assert second.plan(folder, prune=True).changes == []
        write_project(other, second.export())
        assert bytes_in(one) == bytes_in(other)
        assert write_project(one, second.export()).written == []
