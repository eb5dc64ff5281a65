"""Who did what a campaign follows before it was published, and so does not enter (semantics.md 2).

Read from what memberships keep of acts, which is kept for every user from the first act on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from segue.engine.matching import Target, resolve
from segue.engine.references import references_in
from segue.engine.retargeting import compile_done
from segue.model.campaigns import Campaign, DidNot, InteractWithCampaign
from segue.model.filters import InteractionSpec
from segue.model.interactions import receives_before
from segue.model.state import Done, UserState

DoneTest = Callable[[Done], bool]
# When a campaign is active: from a publication on, until it is ended.
Lives = Sequence[tuple[int, int]]


class MissedTrigger(Struct):
    """A trigger on interactions, and how many users did them in time for nothing."""

    path: str
    targets: frozenset[str]
    tests: list[DoneTest]
    user_count: int = 0

    def is_missed(self, state: UserState, lives: Lives) -> bool:
        """Return whether the user did it, and never in one of the lives.

        Of acts that are alike, the last is kept: who did it in time as well was not missed.
        """
        has_done = False
        for slug, membership in state.memberships.items():
            if slug not in self.targets:
                continue
            for done in membership.done:
                if any(test(done) for test in self.tests):
                    if any(begin <= done.last_at < end for begin, end in lives):
                        return False
                    has_done = True
        return has_done


class MissedBy(Struct):
    """How many users one campaign has missed, in all and by trigger."""

    slug: str
    lives: Lives
    triggers: list[MissedTrigger]
    user_count: int = 0


class MissedUsers(Struct):
    """Counts the users that campaigns have missed: `visit` each once."""

    campaigns: list[MissedBy]
    user_count: int = 0  # whom several campaigns missed counts once

    def visit(self, _user_id: str, state: UserState) -> None:
        """Look at one user."""
        is_missed = False
        for campaign in self.campaigns:
            missed = [one for one in campaign.triggers if one.is_missed(state, campaign.lives)]
            for trigger in missed:
                trigger.user_count += 1
            campaign.user_count += bool(missed)
            is_missed = is_missed or bool(missed)
        self.user_count += is_missed


def missed_users(
    published: Iterable[tuple[Campaign, Lives]], targets: Mapping[str, Target]
) -> MissedUsers:
    """Return a count, still at nothing, for campaigns published among `targets`.

    A campaign none of whose triggers names one of these has missed nobody, and is left out.
    """
    counted = [MissedBy(one.slug, lives, _triggers_of(one, targets)) for one, lives in published]
    return MissedUsers([one for one in counted if one.triggers])


def _triggers_of(document: Campaign, targets: Mapping[str, Target]) -> list[MissedTrigger]:
    triggers = []
    for reference in references_in(document):
        spec = reference.spec
        if reference.is_trigger and isinstance(spec, InteractWithCampaign | DidNot):
            slugs = frozenset(resolve(spec.campaign, targets))
            if slugs:
                tests = [compile_done(past) for past in _asked(spec)]
                triggers.append(MissedTrigger(reference.path, slugs, tests))
    return triggers


def _asked(spec: InteractWithCampaign | DidNot) -> list[InteractionSpec]:
    """Return what a user has to have done; for a `did_not`, to have received the campaign."""
    if isinstance(spec, DidNot):
        names = receives_before(spec.interaction)
        return [InteractionSpec(name, spec.campaign, spec.variant) for name in names]
    return [spec]
