"""What a campaign would have heard had it listened: before publication, stopped or archived.

The engine never looks at these acts; explanations do, since "it came a day too early" is what
people most often want to know.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from segue.engine.draft import Act
from segue.engine.happening_trace import conditions_of
from segue.engine.listeners import Listener, conversions_of, exceptions_of, triggers_of
from segue.engine.matching import Key, bindings_of, key_of, resolve
from segue.engine.plan import Plan, PublishedStatus, all_targets_of
from segue.engine.watching import Heard, Hearing
from segue.model.campaigns import Campaign
from segue.model.instants import to_datetime
from segue.model.interactions import INTERACTIONS
from segue.model.traces import Facts

_DEAF: Final[dict[PublishedStatus | None, Hearing]] = {
    None: "not_published",
    "stopped": "stopped",
    "archived": "archived",
}


class Unheard:
    """What one campaign does not hear as long as one plan holds, by key."""

    def __init__(self, document: Campaign, plan: Plan) -> None:
        self._slug = document.slug
        self._plan = plan
        campaign = plan.campaigns.get(document.slug)
        self._status = campaign.status if campaign is not None else None
        # Archived ones too: that they fire nothing is what is to be told.
        self._targets = all_targets_of(plan)
        listeners = [*triggers_of(document), *conversions_of(document)]
        if self._status == "active":
            listeners += exceptions_of(document)
        self._by_key: defaultdict[Key, list[tuple[Listener, Hearing]]] = defaultdict(list)
        for listener in listeners:
            for key, outcome in self._outcomes(listener):
                self._by_key[key].append((listener, outcome))

    def of(self, act: Act, variant: str | None, has_receipt: bool) -> list[Heard]:
        """Return what an act would have been to the campaign, and why it was not.

        `variant` is the one the act was done with. Only what satisfies every condition is
        returned; a conversion event counts for nothing without a receipt.
        """
        found: list[Heard] = []
        for listener, outcome in self._by_key.get(key_of(act.event), ()):
            if listener.role == "conversion" and not has_receipt:
                continue
            conditions = conditions_of(
                listener.happening, act.event, act.happened_at, variant, act.is_of_control
            )
            if all(condition.is_passed for condition in conditions):
                happened_at = to_datetime(act.happened_at)
                facts: Facts = {"happened_at": happened_at, "conditions": conditions}
                found.append(Heard(self._slug, listener.role, listener.path, outcome, facts))
        return found

    def _outcomes(self, listener: Listener) -> Iterator[tuple[Key, Hearing]]:
        """Yield the keys that a listener means and does not hear, each with why."""
        is_listening = self._status == "active" or (
            listener.role == "conversion" and self._status == "stopped"
        )
        for binding in bindings_of(listener.happening, self._targets):
            if not is_listening:
                yield binding.key, _DEAF[self._status]
            elif isinstance(binding.key, tuple):
                target = self._plan.campaigns[binding.key[1]]
                if target.status == "archived":
                    yield binding.key, "target_archived"
        spec = listener.happening.interact_with_campaign
        if is_listening and spec is not None and spec.outcome and listener.role == "trigger":
            for slug in resolve(spec.campaign, self._targets):
                yield (INTERACTIONS[spec.interaction].act, slug), "not_delivered"
