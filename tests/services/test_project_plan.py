"""What applying a folder would do, and what about it is wrong: all of it, before anything is."""

from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.instants import parse_instant
from segue.model.problems import InvalidError
from segue.model.workspace import Workspace
from segue.services.configuration import CampaignEntry, Configuration
from segue.services.project_changes import Present
from segue.services.project_plan import Outcome, ProjectPlan, plan_project
from segue.storage.ports import CampaignStatus, StoredCampaign
from tests.support.documents import campaign, email, follower, interaction

NOW = parse_instant("2026-11-01T00:00:00Z")
HTML = [email(html='<a href="{{ unsubscribe_url }}">Bye</a>')]
STATUSES: tuple[CampaignStatus, ...] = ("draft", "active", "stopped", "archived")
NEWS = {"subscription_groups": [{"slug": "news", "name": "News"}]}


def document(slug: str, *triggers: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return follower(slug, *triggers, **{"messages": HTML, **parts})


def entry(raw: dict[str, Any], status: CampaignStatus = "active") -> CampaignEntry:
    return CampaignEntry(decode_campaign(raw), status)


def wanted(*entries: CampaignEntry, **more: Any) -> Configuration:
    segments = [
        decode_segment({"slug": slug, "name": slug, "filter": node})
        for slug, node in more.get("segments", {}).items()
    ]
    return Configuration(
        {one.document.slug: one for one in entries},
        {one.slug: one for one in segments},
        decode_workspace(more["workspace"]) if "workspace" in more else None,
    )


def present(configuration: Configuration) -> Present:
    """Return a server that holds a configuration; all but drafts was published once."""
    campaigns = {
        slug: StoredCampaign(
            f"id-{slug}", one.document, one.status, int(one.status != "draft"), 1, 1
        )
        for slug, one in configuration.campaigns.items()
    }
    return Present(campaigns, configuration.segments, configuration.workspace or Workspace())


NOTHING = present(Configuration())


def plan(there: Present, folder: Configuration, **options: Any) -> ProjectPlan:
    return plan_project(there, folder, NOW, **options)[0]


def outcome(there: Present, folder: Configuration, **options: Any) -> Outcome:
    return plan_project(there, folder, NOW, **options)[1]


def actions(found: ProjectPlan) -> dict[str, list[str]]:
    return {one.slug or one.what: [*one.actions] for one in found.changes}


def faults(there: Present, folder: Configuration, **options: Any) -> dict[str, str]:
    with pytest.raises(InvalidError) as caught:
        plan_project(there, folder, NOW, **options)
    return {one.path: one.message for one in caught.value.problems}


# What changes


def test_new_campaigns_are_published_followers_before_targets() -> None:
    """semantics.md 2: followers go first."""
    found = plan(
        NOTHING,
        wanted(
            entry(document("a-sale")),
            entry(document("b-second", interaction("email_click", "a-sale"))),
            entry(document("c-draft"), "draft"),
            segments={"fans": {"attribute": "age", "gte": 18}},
            workspace={"time_zone": "Europe/Paris"},
        ),
    )
    assert actions(found) == {
        "workspace": ["change"],
        "fans": ["create"],
        "a-sale": ["create", "publish"],
        "b-second": ["create", "publish"],
        "c-draft": ["create"],
    }
    assert found.publish_order == ["b-second", "a-sale"]


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_a_status_becomes_what_its_life_allows(
    before: CampaignStatus, after: CampaignStatus
) -> None:
    """semantics.md 1: what a status may become."""
    there = present(wanted(entry(document("c"), before)))
    folder = wanted(entry(document("c"), after))
    may_become = {
        "draft": ("draft", "active", "stopped", "archived"),
        "active": ("active", "stopped", "archived"),
        "stopped": ("active", "stopped", "archived"),
        "archived": ("archived",),
    }
    if after not in may_become[before]:
        assert set(faults(there, folder)) == {"campaigns/c: status"}
        return
    done = outcome(there, folder).stored(NOW, {})
    assert [one.status for one in done] == ([] if after == before else [after])


def test_an_edit_of_an_active_campaign_is_its_next_version() -> None:
    there = present(wanted(entry(document("c"))))
    done = outcome(there, wanted(entry(document("c", name="New"))))
    [record] = done.records(NOW, {})
    assert (record.version, record.is_edit) == (2, True)  # type: ignore[union-attr]
    [saved] = done.stored(NOW, {})
    assert (saved.id, saved.version, saved.published_at) == ("id-c", 2, None)
    assert plan(there, wanted(entry(document("c", name="New")))).publish_order == []


def test_what_is_archived_stays_what_it_was() -> None:
    there = present(wanted(entry(document("c"), "archived")))
    changed = wanted(entry(document("c", name="New"), "archived"))
    assert plan(there, changed).changes == []
    assert plan(NOTHING, changed).changes == []  # nor is it made only to be archived


def test_what_only_the_server_has_is_left_or_with_prune_goes() -> None:
    server = wanted(
        entry(document("old")),
        entry(document("older"), "archived"),
        segments={"fans": {"event": "bought"}},
        workspace={"time_zone": "Europe/Paris"},
    )
    folder = wanted(entry(document("new"), "draft"))
    assert plan(present(server), folder).left == ["segments/fans", "campaigns/old"]
    found = plan(present(server), folder, prune=True)
    assert actions(found) == {"fans": ["delete"], "new": ["create"], "old": ["archive"]}
    names = [
        type(one).__name__ for one in outcome(present(server), folder, prune=True).records(1, {})
    ]
    assert names == ["CampaignStopped", "SegmentDeleted"]


def test_only_drafts_that_change_leave_no_more_than_that_time_went_on() -> None:
    done = outcome(NOTHING, wanted(entry(document("c"), "draft")))
    assert [type(one).__name__ for one in done.records(NOW, {})] == ["TimeAdvanced"]
    assert [one.id for one in done.stored(NOW, {"c": "id-1"})] == ["id-1"]


def test_a_stopped_campaign_comes_to_a_new_server_stopped() -> None:
    """Nothing can enter it: it is stopped in the instant in which it is published."""
    late = {"type": "scheduled", "schedule": {"at": "2020-01-01T09:00:00"}}
    done = outcome(NOTHING, wanted(entry(document("c", delivery=late), "stopped")))
    names = [type(one).__name__ for one in done.records(NOW, {"c": "id-1"})]
    assert names == ["CampaignPublished", "CampaignStopped"]
    [saved] = done.stored(NOW, {"c": "id-1"})
    assert (saved.status, saved.version, saved.published_at) == ("stopped", 1, NOW)


def test_a_fingerprint_is_of_what_there_is_and_not_of_what_is_wanted() -> None:
    one, other = wanted(entry(document("c"))), wanted(entry(document("c", name="Other")))
    assert plan(NOTHING, one).fingerprint == plan(NOTHING, other).fingerprint
    assert plan(present(one), one).fingerprint != plan(NOTHING, one).fingerprint
    assert plan(present(one), one).fingerprint != plan(present(other), one).fingerprint


# What is wrong


def test_every_fault_of_every_document_is_told_at_once() -> None:
    folder = wanted(
        entry(document("a", interaction("email_click", "gone"), audience={"segment": "fan"})),
        entry(document("b", messages=[email(html="{{ x | nope }}")]), "draft"),
        entry(document("c"), "draft"),
        segments={"fans": {"all": [{"segment": "lost"}, {"received": {"campaign": "lost"}}]}},
    )
    assert set(faults(present(wanted(entry(document("c")))), folder)) == {
        "campaigns/a: audience.segment",
        "campaigns/a: delivery.triggers[0].interact_with_campaign.campaign",
        "campaigns/b: messages[0].email.html",
        "campaigns/c: status",
        "segments/fans: filter.all[0].segment",
        "segments/fans: filter.all[1].received.campaign",
    }


def test_references_are_checked_against_the_set_as_it_will_be() -> None:
    """A target, a segment and a group that come with the same folder are there in time."""
    folder = wanted(
        entry(document("b", interaction("email_click", "a"), audience={"segment": "fans"})),
        entry(document("a", subscription_group="news")),
        segments={"fans": {"subscription": {"news": "opted_in"}}},
        workspace=NEWS,
    )
    assert plan(NOTHING, folder).publish_order == ["b", "a"]


def test_a_loop_that_nothing_stops_is_a_fault_though_it_spans_folder_and_server() -> None:
    """semantics.md 2, Cycles."""
    there = present(wanted(entry(document("a", interaction("email_receive", "b")))))
    folder = wanted(entry(document("b", interaction("email_receive", "a"))))
    [message] = faults(there, folder).values()
    assert "a loop that nothing ever stops" in message


@pytest.mark.parametrize(
    ("folder", "options", "path"),
    [
        (
            wanted(entry(document("b", interaction("email_click", "a"))), workspace=NEWS),
            {"prune": True},
            "campaigns/b: delivery.triggers[0].interact_with_campaign.campaign",
        ),
        (
            wanted(entry(document("a", audience={"segment": "fans"})), workspace=NEWS),
            {"prune": True},
            "campaigns/a: audience.segment",
        ),
        (wanted(workspace={}), {}, "campaigns/draft: subscription_group"),
        (wanted(workspace={}), {}, "segments/fans: filter.subscription.news"),
    ],
)
def test_nothing_is_taken_away_that_something_rests_on(
    folder: Configuration, options: dict[str, Any], path: str
) -> None:
    server = wanted(
        entry(document("a", audience={"segment": "fans"})),
        entry(document("b", interaction("email_click", "a"))),
        entry(document("draft", subscription_group="news"), "draft"),
        segments={"fans": {"subscription": {"news": "opted_in"}}},
        workspace=NEWS,
    )
    assert path in faults(present(server), folder, **options)


def test_a_draft_need_not_be_whole() -> None:
    new = document("c", interaction("email_click", "lost"), audience={"segment": "lost"})
    folder = wanted(entry(new, "draft"))
    assert actions(plan(NOTHING, folder)) == {"c": ["create"]}
    there = present(wanted(entry(document("c"), "draft")))
    assert actions(plan(there, folder)) == {"c": ["change"]}


def test_an_old_fault_elsewhere_keeps_no_change_back() -> None:
    server = wanted(
        entry(document("follows", interaction("email_click", "target"))),
        entry(document("target"), "archived"),
    )
    assert actions(plan(present(server), wanted(entry(document("new"))))) == {
        "new": ["create", "publish"]
    }
    changed = wanted(entry(document("follows", interaction("email_click", "target"), name="New")))
    assert "is archived" in next(iter(faults(present(server), changed).values()))


def test_warnings_are_led_by_what_they_are_about() -> None:
    found = plan(
        NOTHING,
        wanted(
            entry(document("a", messages=[email()])),
            entry(document("b", interaction("email_click", "a")), "draft"),
        ),
    )
    told = {one.path: one.message for one in found.warnings}
    assert told.keys() == {"campaigns/a", "campaigns/a: messages[0].email"}
    assert "b follows this campaign and is a draft" in told["campaigns/a"]


def test_a_follower_that_comes_late_is_told_of_and_one_of_the_same_folder_is_not() -> None:
    """semantics.md 2, The publish rule: an interaction from before never enters anyone."""
    folder = wanted(
        entry(document("sale")), entry(document("second", interaction("email_click", "sale")))
    )
    assert plan(NOTHING, folder).warnings == []
    [warning] = plan(present(wanted(entry(document("sale")))), folder).warnings
    assert warning.path == "campaigns/second: delivery.triggers[0].interact_with_campaign"
    assert warning.message.startswith("sale is active already")


def test_a_folder_changes_only_so_many_campaigns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.services.project_checks.APPLIED_AT_ONCE_MAX", 1)
    folder = wanted(entry(document("a")), entry(document("b")))
    assert faults(NOTHING, folder) == {"campaigns": "change 2; at most 1 at once"}
    assert plan(present(folder), folder).changes == []  # as many as there are may stay


def test_a_campaign_as_written_in_the_reference_needs_its_target() -> None:
    assert "campaigns/resend: delivery.triggers[0].interact_with_campaign.campaign" in faults(
        NOTHING, wanted(entry(campaign()))
    )
