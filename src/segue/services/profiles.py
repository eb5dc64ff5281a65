"""A user as a page shows one: how to reach them, what they belong to; and finding users."""

import asyncio

from msgspec import Struct

from segue.content.addresses import comparable_address
from segue.engine.audience import Audiences, subscription_to
from segue.engine.audience_trace import trace_audience
from segue.engine.plan import all_targets_of
from segue.engine.profile import ADDRESS_ATTRIBUTES
from segue.errors import NotFoundError
from segue.model.channels import CHANNELS, DEVICE_CHANNELS, Channel
from segue.model.limits import USERS_FOUND_MAX
from segue.model.state import Membership, UserState
from segue.model.traces import FilterTrace
from segue.model.workspace import Segment
from segue.runtime.runtime import Runtime
from segue.services.explanations.filter_words import with_sentences
from segue.services.explanations.words import Words
from segue.services.timelines import rows_of
from segue.services.users import ShownDevice, User, Users, shown


class ContactState(Struct, frozen=True):
    """How a channel reaches a user: the address, what they want, and what is in the way."""

    channel: Channel
    address: str  # "" where there is none
    subscription: str
    is_dead: bool = False
    suppressed: str = ""  # why the address is on the suppression list, as a clause

    @property
    def obstacle(self) -> str:
        """Why nothing goes by this channel; "" where it would."""
        if self.subscription == "unsubscribed":
            return "unsubscribed"
        if self.is_dead:
            return "takes no messages"
        if self.suppressed:
            return f"suppressed: {self.suppressed}"
        return "" if self.address else "no address"


class GroupState(Struct, frozen=True):
    """A subscription group, and the user's subscription to it."""

    slug: str
    name: str
    subscription: str


class CampaignState(Struct, frozen=True):
    """What a campaign and the user have to do with each other just now."""

    slug: str
    name: str
    word: str
    since: int | None  # the instant that the word is about
    receipts: int


class Profile(Struct, frozen=True):
    """What is known of a user."""

    user_id: str
    attributes: list[tuple[str, str]]
    contacts: list[ContactState]
    groups: list[GroupState]
    devices: list[ShownDevice]
    segments: list[Segment]
    campaigns: list[CampaignState]


class Profiles:
    """Looks users up and at."""

    def __init__(self, runtime: Runtime, users: Users) -> None:
        self._runtime = runtime
        self._users = users

    def of(self, user_id: str) -> Profile:
        """Return what is known of a user.

        Raises:
            NotFoundError: nothing is remembered of one with this id.
        """
        state, plan = self._state(user_id), self._runtime.plan
        found = shown(user_id, state)
        return Profile(
            user_id=user_id,
            attributes=list(rows_of(state.attributes)),
            contacts=[self._contact(channel, state, found.devices) for channel in CHANNELS],
            groups=[
                GroupState(one.slug, one.name, subscription_to(state, one.slug))
                for one in plan.workspace.subscription_groups
            ],
            devices=found.devices,
            segments=self._segments_of(state),
            campaigns=self._campaigns_of(state),
        )

    def why_in_segment(self, user_id: str, slug: str) -> FilterTrace:
        """Return each filter of a segment with what it makes of the user.

        Raises:
            NotFoundError: there is no such user, or no such segment.
        """
        state, plan = self._state(user_id), self._runtime.plan
        segment = plan.segments.get(slug)
        if segment is None:
            message = f"there is no segment {slug!r}"
            raise NotFoundError(message)
        now = self._runtime.clock.now()
        targets = all_targets_of(plan)
        trace = trace_audience(segment.filter, state, now, targets, plan.segments)
        assert trace is not None  # noqa: S101 - a segment has a filter
        zone = state.attributes.get("time_zone")
        return with_sentences(trace, Words(user_id, plan, now, time_zone=zone))

    async def find(self, text: str) -> list[User]:
        """Return users by id, or its beginning, by email address, phone number or push token."""
        text = text.strip()
        if not text:
            return []
        found: dict[str, User] = {}
        for user_id in [text, self._owner_of(text)]:
            state = self._runtime.state_of(user_id) if user_id else None
            if user_id and state is not None:
                found[user_id] = shown(user_id, state)
        for channel in ("email", "sms"):
            if comparable_address(channel, text) is not None:
                for user in self._users.page_with(channel, text, "", USERS_FOUND_MAX):
                    found.setdefault(user.user_id, user)
        snapshot = self._runtime.snapshot
        behind = await asyncio.to_thread(snapshot.list_users, text, USERS_FOUND_MAX)
        for user_id, state in behind:
            if user_id.startswith(text):
                found.setdefault(user_id, shown(user_id, state))
        return list(found.values())[:USERS_FOUND_MAX]

    def _owner_of(self, token: str) -> str | None:
        return self._runtime.checkpoints.token_owners.owner_of(token)

    def _state(self, user_id: str) -> UserState:
        state = self._runtime.state_of(user_id)
        if state is None:
            message = f"there is no user {user_id!r}: nothing was told of one, or they were erased"
            raise NotFoundError(message)
        return state

    def _segments_of(self, state: UserState) -> list[Segment]:
        plan, now = self._runtime.plan, self._runtime.clock.now()
        audiences = Audiences(all_targets_of(plan), plan.segments)
        return [
            segment
            for slug, segment in sorted(plan.segments.items())
            if audiences.segment(slug)(state, now)
        ]

    def _campaigns_of(self, state: UserState) -> list[CampaignState]:
        plan = self._runtime.plan
        found = []
        for slug, member in state.memberships.items():
            word, since = _standing(member)
            campaign = plan.campaigns.get(slug)
            if word:
                name = campaign.newest.document.name if campaign is not None else slug
                found.append(CampaignState(slug, name, word, since, member.receipt_count))
        return sorted(found, key=lambda one: -(one.since or 0))

    def _contact(
        self, channel: Channel, state: UserState, devices: list[ShownDevice]
    ) -> ContactState:
        attribute, suppressed = ADDRESS_ATTRIBUTES.get(channel), None
        if attribute is not None:
            address = str(state.attributes.get(attribute) or "")
            suppressions = self._runtime.suppressions
            suppressed = suppressions.obstacle(channel, address, is_for_all=False)
        elif channel == "push":
            count = len(devices)
            address = f"{count} device{'' if count == 1 else 's'}" if devices else ""
        else:
            address = "the user’s devices fetch it" if channel in DEVICE_CHANNELS else "its own URL"
        return ContactState(
            channel,
            address,
            subscription_to(state, channel),
            channel in state.dead_addresses,
            suppressed or "",
        )


def _standing(member: Membership) -> tuple[str, int | None]:
    if member.wait is not None:
        return "waits until", member.wait.due_at
    if member.handed is not None:
        return "being handed over", None
    if member.control_at is not None:
        return "in the control group since", member.control_at
    if member.sent_at is not None:
        return "got it last", member.sent_at
    return "", None
