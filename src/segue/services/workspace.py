"""What holds for all campaigns, as people handle it: time zone, quiet hours, caps, channels.

A change is one record with the whole workspace, which holds from then on.
"""

from collections.abc import Callable, Iterator

from msgspec import UNSET, Struct, to_builtins
from msgspec.structs import replace

from segue.engine.references import leaves_of
from segue.engine.workspace_checks import check_workspace, decode_workspace
from segue.errors import ConflictError, NotFoundError
from segue.model.channels import CHANNELS, Channel
from segue.model.decoding import decode_document, did_you_mean, shown
from segue.model.filters import Filter
from segue.model.log_records import WorkspaceSet
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Cap, ChannelPolicy, OnUnknown, Workspace
from segue.runtime.runtime import Runtime
from segue.services.segments import refuse_new_slug, with_slug


class ChannelRules(Struct, frozen=True):
    """A channel, and what is done when a provider's answer is not known (semantics.md 8)."""

    channel: Channel
    on_unknown: OnUnknown
    is_default: bool  # nobody has chosen it


class WorkspaceRules:
    """The verbs on the workspace."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def get(self) -> Workspace:
        """Return the workspace as it is."""
        return self._runtime.plan.workspace

    async def put(self, raw: object) -> Workspace:
        """Replace the workspace.

        Raises:
            InvalidError: with every fault.
            ConflictError: a subscription group would go that something names.
        """
        workspace = decode_workspace(raw)
        return await self._change(lambda _now: workspace)

    def find_cap(self, slug: str) -> Cap:
        """Return a frequency cap.

        Raises:
            NotFoundError: there is none of this slug.
        """
        return _find_cap(self.get(), slug)

    async def create_cap(self, raw: object) -> Cap:
        """Add a frequency cap.

        Raises:
            InvalidError: with every fault of it, or the caps would be too many.
            ConflictError: its slug is taken.
        """
        cap = _decode_cap(raw)

        def add(workspace: Workspace) -> Workspace:
            if any(one.slug == cap.slug for one in workspace.caps):
                raise ConflictError(f"the slug {shown(cap.slug)} is taken by another cap")
            return replace(workspace, caps=[*workspace.caps, cap])

        await self._change(add)
        return cap

    async def put_cap(self, slug: str, raw: object) -> tuple[Cap, bool]:
        """Save a cap under a slug, new or in place of the one there; return which it was.

        Raises:
            InvalidError: with every fault of it.
            ConflictError: the document has another slug.
        """
        cap = _decode_cap(with_slug(raw, slug))
        refuse_new_slug(slug, cap.slug, "cap")
        is_new = True

        def set_it(workspace: Workspace) -> Workspace:
            nonlocal is_new
            is_new = all(one.slug != slug for one in workspace.caps)
            caps = [cap if one.slug == slug else one for one in workspace.caps]
            return replace(workspace, caps=[*caps, cap] if is_new else caps)

        await self._change(set_it)
        return cap, is_new

    async def delete_cap(self, slug: str) -> None:
        """Delete a frequency cap.

        Raises:
            NotFoundError: there is none of this slug.
        """

        def remove(workspace: Workspace) -> Workspace:
            gone = _find_cap(workspace, slug)
            return replace(workspace, caps=[one for one in workspace.caps if one is not gone])

        await self._change(remove)

    def channels(self) -> list[ChannelRules]:
        """Return what holds for each channel."""
        workspace = self.get()
        return [_rules_of(workspace, channel) for channel in CHANNELS]

    async def put_channel(self, name: str, raw: object) -> ChannelRules:
        """Set the policy of a channel; null for `on_unknown` brings the default back.

        Raises:
            NotFoundError: there is no such channel.
            InvalidError: with every fault of the policy.
        """
        channel = next((one for one in CHANNELS if one == name), None)
        if channel is None:
            message = f"there is no channel {shown(name)}{did_you_mean(name, [*CHANNELS])}"
            raise NotFoundError(message)
        policy = decode_document(raw, ChannelPolicy, "The policy")

        def set_it(workspace: Workspace) -> Workspace:
            channels = {one: kept for one, kept in workspace.channels.items() if one != channel}
            if policy != ChannelPolicy():
                channels[channel] = policy
            return replace(workspace, channels=channels)

        return _rules_of(await self._change(set_it), channel)

    async def _change(self, change: Callable[[Workspace], Workspace]) -> Workspace:
        async with self._runtime.changing():
            before = self.get()
            after = decode_workspace(to_builtins(change(before)))
            conflicts = [
                f"the subscription group {shown(group)} is in use by {', '.join(referrers)}"
                for group in groups_gone(before, after)
                if (referrers := list(self._referrers_of_group(group)))
            ]
            if conflicts:
                raise ConflictError(f"{'; '.join(conflicts)}; change or archive those first")
            if after != before:
                committed = self._runtime.commits.hand_in(lambda at: WorkspaceSet(at, after))
                await self._runtime.decided(committed)
            return after

    def _referrers_of_group(self, group: str) -> Iterator[str]:
        for campaign in self._runtime.journal.list_campaigns():
            document = campaign.document
            is_named = document.subscription_group == group or asks_for(document.audience, group)
            if is_named and campaign.status != "archived":
                yield f"the campaign {campaign.slug}"
        for slug, segment in sorted(self._runtime.plan.segments.items()):
            if asks_for(segment.filter, group):
                yield f"the segment {slug}"


def groups_gone(before: Workspace, after: Workspace) -> list[str]:
    """Return the subscription groups that a change takes away."""
    kept = {group.slug for group in after.subscription_groups}
    return [group.slug for group in before.subscription_groups if group.slug not in kept]


def asks_for(node: Filter | None, group: str) -> bool:
    """Return whether a filter tree asks for the subscription to a group."""
    subscriptions = (leaf.subscription for leaf, _path in leaves_of(node, ""))
    return any(names is not UNSET and group in names for names in subscriptions)


def _decode_cap(raw: object) -> Cap:
    cap = decode_document(raw, Cap, "The cap")
    problems = [
        Problem(one.path.removeprefix("caps[0]."), one.message)
        for one in check_workspace(Workspace(caps=[cap]))
    ]
    if problems:
        raise InvalidError(problems, "The cap")
    return cap


def _find_cap(workspace: Workspace, slug: str) -> Cap:
    for cap in workspace.caps:
        if cap.slug == slug:
            return cap
    hint = did_you_mean(slug, [cap.slug for cap in workspace.caps])
    raise NotFoundError(f"there is no cap {shown(slug)}{hint}")


def _rules_of(workspace: Workspace, channel: Channel) -> ChannelRules:
    policy = workspace.channels.get(channel, ChannelPolicy())
    return ChannelRules(channel, workspace.on_unknown(channel), policy.on_unknown is None)
