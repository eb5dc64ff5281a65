"""What the plan remembers of campaigns as they come and go."""

from tests.support.documents import campaign

from segue.engine.checks import decode_campaign
from segue.engine.plan import EMPTY_PLAN, apply_changes
from segue.model.log_records import CampaignPublished, CampaignStopped

DOCUMENT = decode_campaign(campaign("sale"))


def published(at: int, version: int, *, is_edit: bool = False) -> CampaignPublished:
    return CampaignPublished(at, "id", version, DOCUMENT, is_edit)


def test_the_past_lives_of_a_campaign_are_when_it_was_active_before() -> None:
    stopped, archived = CampaignStopped(20, "sale"), CampaignStopped(60, "sale", is_archived=True)
    lives = []
    plan = EMPTY_PLAN
    for change in (
        published(10, 1),
        published(15, 2, is_edit=True),
        stopped,
        published(30, 3),
        published(40, 4),  # over a file, an active one may be published again
        CampaignStopped(50, "sale"),
        archived,
    ):
        plan = apply_changes(plan, [change])
        lives.append(plan.campaigns["sale"].past_lives)
    assert lives == [
        (),
        (),
        ((10, 20),),
        ((10, 20),),
        ((10, 20), (30, 40)),
        ((10, 20), (30, 40), (40, 50)),
        ((10, 20), (30, 40), (40, 50)),
    ]


def test_changes_taken_in_at_once_follow_what_they_follow_one_by_one() -> None:
    # Found by `segue simulate --seed 6 --days 1`: after a restart nobody followed what an older
    # version asks, under which users may wait still.
    asked = {"event": {"name": "look", "count": {"gte": 2}}}
    changes = [
        CampaignPublished(1, "id", 1, decode_campaign(campaign(audience=asked))),
        CampaignPublished(2, "id", 2, decode_campaign(campaign()), is_edit=True),
    ]
    one_by_one = apply_changes(apply_changes(EMPTY_PLAN, changes[:1]), changes[1:])
    at_once = apply_changes(EMPTY_PLAN, changes)
    assert len(one_by_one.trackers) == 1
    assert at_once.trackers == one_by_one.trackers
    assert at_once.interests == one_by_one.interests
