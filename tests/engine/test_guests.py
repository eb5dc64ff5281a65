"""Which campaigns a document's decisions can depend on: no other needs to be decided again."""

from typing import Any

from tests.support.story import campaign, interacts

from segue.engine.checks import decode_campaign
from segue.engine.guests import campaigns_needed
from segue.model.filters import Filter, Retargeting
from segue.model.log_records import CampaignPublished, PlanChange, SegmentSet, WorkspaceSet
from segue.model.workspace import Cap, Segment, Workspace

GO = {"event": "go"}


def published(slug: str, *triggers: dict[str, Any], **more: Any) -> CampaignPublished:
    document = decode_campaign(campaign(slug, *(triggers or (GO,)), **more))
    return CampaignPublished(0, f"id-{slug}", 1, document)


def needed(document: dict[str, Any], *changes: PlanChange) -> set[str] | None:
    found = campaigns_needed(decode_campaign(document), changes)
    return set(found) if found is not None else None


CHAIN = (
    published("a"),
    published("b", interacts("a", "push_receive")),
    published("c", interacts("id-b", "push_receive")),
    published("stranger"),
)


def test_a_campaign_that_names_none_needs_none() -> None:
    assert needed(campaign("d", GO), *CHAIN) == set()


def test_what_is_followed_is_needed_and_what_that_follows_by_slug_or_id() -> None:
    assert needed(campaign("d", interacts("c", "push_receive")), *CHAIN) == {"a", "b", "c"}


def test_exceptions_conversions_and_audiences_count_like_triggers() -> None:
    exceptions = [interacts("a", "push_direct_open")]
    assert needed(campaign("d", GO, delay="1h", exceptions=exceptions), *CHAIN) == {"a"}
    conversions = [{**interacts("a", "push_direct_open"), "within": "1h"}]
    assert needed(campaign("d", GO, conversions=conversions), *CHAIN) == {"a"}
    audience = {"not": {"received": {"campaign": "b"}}}
    assert needed(campaign("d", GO, audience=audience), *CHAIN) == {"a", "b"}


def test_a_segment_is_looked_into_in_all_that_it_ever_was() -> None:
    def segment(slug: str, **parts: Any) -> SegmentSet:
        return SegmentSet(0, Segment(slug=slug, name=slug, filter=Filter(**parts)))

    inner = (
        segment("inner", received=Retargeting("a")),
        segment("inner", received=Retargeting("stranger")),
    )
    outer = segment("outer", segment="inner")
    document = campaign("d", GO, audience={"segment": "outer"})
    assert needed(document, *CHAIN, *inner, outer) == {"a", "stranger"}


def test_a_tag_means_whoever_ever_bore_it() -> None:
    tagged = published("a", tags=["red"])
    document = campaign("d", interacts({"tag": "red"}, "push_receive"))  # type: ignore[arg-type]
    assert needed(document, *CHAIN, tagged) == {"a"}


def test_any_campaign_means_all() -> None:
    assert needed(campaign("d", interacts("any", "push_receive")), *CHAIN) is None


def test_a_schedule_comes_to_everybody_known_to_any_campaign() -> None:
    document = campaign("d")
    document["delivery"] = {"type": "scheduled", "schedule": {"cron": "0 9 * * *"}}
    assert needed(document, *CHAIN) is None


def test_caps_count_the_messages_of_all() -> None:
    capped = WorkspaceSet(0, Workspace(caps=[Cap("daily", 1, "1d")]))
    assert needed(campaign("d", GO), *CHAIN, capped, WorkspaceSet(1, Workspace())) is None
    assert needed(campaign("d", GO, frequency_caps="ignore"), *CHAIN, capped) == set()


def test_its_own_past_is_needed_where_it_is_asked_for() -> None:
    document = decode_campaign(campaign("c", GO))
    assert campaigns_needed(document, CHAIN) == frozenset()
    assert campaigns_needed(document, CHAIN, with_itself=True) == {"a", "b", "c"}
