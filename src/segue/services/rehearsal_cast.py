"""What a rehearsal begins with: copies of what is live, drafts published together, a few users."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.plan import audiences_in
from segue.errors import ConflictError
from segue.model.campaigns import Campaign
from segue.model.channels import CHANNELS
from segue.model.events import AttributeChange
from segue.model.filters import Filter
from segue.model.ids import random_id
from segue.model.limits import PHONES_SIDE_BY_SIDE_MAX, REHEARSAL_CAMPAIGNS_MAX
from segue.model.log_records import CampaignPublished, Record, SegmentSet, WorkspaceSet
from segue.model.problems import InvalidError
from segue.model.state import UserState
from segue.model.workspace import Segment, Workspace
from segue.runtime.phones import TEST_USER
from segue.services.launches import as_draft
from segue.services.publishing import PublishSetWish
from segue.storage.ports import StoredCampaign

if TYPE_CHECKING:
    from segue.services.application import Application

_MADE_UP: Final = ("tester-1", "tester-2")  # where nobody is chosen: as many as compare


class RehearsalWish(Struct, frozen=True):
    """What somebody wants to rehearse: a campaign, or what is being written, or what is active.

    A draft is published with those that go with it. `back` is the page that it was begun from.
    """

    user_ids: tuple[str, ...] = ()
    campaign: str = ""
    composition: str = ""
    back: str = ""


class Cast(Struct, frozen=True):
    """Everything that a rehearsal begins with.

    `known_ids` are those of the users who are copies; the others are made up. Of `drafts`, to be
    published together, the first is the one that is rehearsed.
    """

    rehearsed: Campaign | None  # None: everything that is active
    workspace: Workspace
    segments: list[Segment]
    campaigns: list[StoredCampaign]
    drafts: list[StoredCampaign]
    users: list[AttributeChange]
    known_ids: frozenset[str]

    @property
    def user_ids(self) -> list[str]:
        """Who takes part, in the order in which they stand side by side."""
        return [one.user_id for one in self.users]


async def cast_of(live: "Application", wish: RehearsalWish) -> Cast:
    """Return what a rehearsal of something begins with, as of now.

    Raises:
        NotFoundError: there is no such campaign, or nothing is being written under that id.
        InvalidError: what is being written cannot be published yet; with every fault.
        ConflictError: it is archived, or more campaigns are active than a rehearsal copies.
    """
    wanted = _wanted(live, wish)
    campaigns = {one.id: one for one in live.campaigns.all()}
    drafts: list[StoredCampaign] = []
    if wanted is not None:
        campaigns[wanted.id] = wanted
        if wanted.status != "active":
            drafts = [wanted, *live.launches.companions_of(wanted)]
    active = sum(one.status == "active" for one in campaigns.values())
    if active > REHEARSAL_CAMPAIGNS_MAX:
        message = (
            f"{active:,} campaigns are active, and a rehearsal copies at most "
            f"{REHEARSAL_CAMPAIGNS_MAX:,}; stop those that are over, or use a backtest"
        )
        raise ConflictError(message)
    user_ids = wish.user_ids or await _default_ids(live)
    states = {one: live.runtime.state_of(one) for one in user_ids[:PHONES_SIDE_BY_SIDE_MAX]}
    return Cast(
        wanted.document if wanted is not None else None,
        live.runtime.plan.workspace,
        list(live.runtime.plan.segments.values()),
        list(campaigns.values()),
        drafts,
        [AttributeChange(one, _attributes_of(state)) for one, state in states.items()],
        frozenset(one for one, state in states.items() if state is not None),
    )


async def put_on(stage: "Application", cast: Cast) -> list[str]:
    """Bring it into an empty application that runs; return what could not be published with it.

    Raises:
        InvalidError: what is rehearsed cannot be published; with every fault.
    """
    runtime = stage.runtime
    active = [one for one in cast.campaigns if one.status == "active"]
    async with runtime.changing(_filters_of(cast, active)):
        committed = runtime.commits.hand_in_all(
            lambda at: _records_of(cast, active, at),
            lambda at: [_stored(one, at) for one in cast.campaigns],
        )
        await runtime.decided(committed)
    await runtime.ingest.take_attributes(cast.users)
    await runtime.processor.wait_for(runtime.commits.last_seq)
    if not cast.drafts:
        return []
    try:
        await _publish(stage, cast.drafts)
    except InvalidError as error:
        if len(cast.drafts) == 1:
            raise
        await _publish(stage, cast.drafts[:1])
        names = ", ".join(f"“{one.document.name}”" for one in cast.drafts[1:])
        return [f"Left out, since they cannot be published with it: {names}. {error}"]
    return []


async def _publish(stage: "Application", drafts: Sequence[StoredCampaign]) -> None:
    await stage.publishing.publish_set(PublishSetWish(ids=[one.id for one in drafts]))


def _wanted(live: "Application", wish: RehearsalWish) -> StoredCampaign | None:
    """Return the campaign that is rehearsed, as it is written now."""
    if wish.composition:
        composition = live.compositions.find(wish.composition)
        problems = live.compositions.problems(composition)
        if problems.must_mend or problems.document is None:
            raise InvalidError(problems.must_mend, "The campaign")
        base = live.compositions.base_of(composition)
        found = as_draft(problems.document, base)
        if not found.id:
            now = live.clock.now()
            found = replace(found, id=random_id(now, live.clock.token(10)))
    elif wish.campaign:
        found = live.campaigns.find(wish.campaign)
    else:
        return None
    if found.status == "archived":
        message = f"{found.slug} is archived, so nothing can come of it; duplicate it to try a copy"
        raise ConflictError(message)
    return found


async def _default_ids(live: "Application") -> tuple[str, ...]:
    """Return those whose phones something came to last, filled up with users who are made up."""
    newest = await live.phones.page(limit=len(_MADE_UP))
    return tuple(dict.fromkeys([*(one.user_id for one in newest), *_MADE_UP]))[: len(_MADE_UP)]


def _attributes_of(state: UserState | None) -> dict[str, Any]:
    """Return what makes somebody with the profile of a user, and their subscriptions."""
    if state is None:
        return {TEST_USER: True}
    attributes = {**state.attributes, TEST_USER: True}
    groups = {name: to for name, to in state.subscriptions.items() if name not in CHANNELS}
    for channel in CHANNELS:
        if channel in state.subscriptions:
            attributes[f"{channel}_subscribe"] = state.subscriptions[channel]
    if groups:
        attributes["subscription_groups"] = groups
    return attributes


def _filters_of(cast: Cast, active: Sequence[StoredCampaign]) -> list[Filter]:
    return [*(one.filter for one in cast.segments), *audiences_in(one.document for one in active)]


def _records_of(cast: Cast, active: Sequence[StoredCampaign], at: int) -> list[Record]:
    return [
        WorkspaceSet(at, cast.workspace),
        *(SegmentSet(at, one) for one in cast.segments),
        *(CampaignPublished(at, one.id, one.version, one.document) for one in active),
    ]


def _stored(campaign: StoredCampaign, at: int) -> StoredCampaign:
    is_active = campaign.status == "active"
    return replace(campaign, published_at=at) if is_active else campaign
