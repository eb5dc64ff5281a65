"""The account of a log against the fold that wrote it: random worlds, every user and campaign."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given

from segue.engine.draft import Act
from segue.engine.watching import Check, Heard
from segue.model.verdicts import Verdict
from segue.runtime.account import Account, Step, account_of
from tests.support.plain_worlds import worlds
from tests.support.random_worlds import World
from tests.support.recorded import Recorded, of_world

pytestmark = pytest.mark.slow

# What a hearing leads to, by the decisions of its step.
LEADS = {
    "considered": ("enter", "refuse", "control"),
    "cancelled": ("cancel",),
    "credited": ("convert",),
}


def account(story: Recorded, user_id: str, slug: str) -> Account:
    found = story.journal.find_campaign(slug)
    assert found is not None
    return account_of(story.journal, story.stores.snapshot, user_id, found.document, story.now)


def assert_consistent(step: Step) -> None:
    """Each decision of an act follows from something heard, and each failed check is a reason."""
    verdicts = step.verdicts()
    outcomes = Counter(note.outcome for note in step.notes if isinstance(note, Heard))
    if isinstance(step.touch, Act):
        for outcome, decisions in LEADS.items():
            led_to = [verdict for verdict in verdicts if verdict.decision in decisions]
            assert len(led_to) == outcomes[outcome], step
    reasons = {verdict.reason for verdict in verdicts}
    for note in step.notes:
        if isinstance(note, Check) and not note.is_passed:
            # Of several channels one may be closed, and the message goes by the others.
            assert note.reason in reasons or "channel" in note.facts, step


@given(worlds())
def test_every_decision_of_any_log_is_in_the_account_of_its_pair_and_told(world: World) -> None:
    story = of_world(world)
    users = {verdict.user_id for verdict in story.verdicts} | {"nobody"}
    for user_id, slug in product(sorted(users), world.campaigns):
        decided = of(story.verdicts, user_id, slug)
        steps = account(story, user_id, slug).steps
        assert [verdict for step in steps for verdict in step.verdicts()] == decided
        for step in steps:
            assert_consistent(step)
        found = story.explain(user_id, slug)
        assert found.summary.endswith(".")
        assert all(line.sentence for step in found.steps for line in step.lines)
        assert [one["decision"] for step in found.steps for one in step.decisions] == [
            verdict.decision for verdict in decided
        ]


def of(verdicts: list[Verdict], user_id: str, slug: str) -> list[Verdict]:
    return [one for one in verdicts if one.user_id == user_id and one.campaign == slug]
