"""No rule without its test: the decisions A1 to D13, and what the sections of semantics.md say.

A test is named for its rule, and its docstring says where the rule stands.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

# campaign-facts.md 10: what was decided where the commercial original leaves room.
DECISIONS = {
    "A1": "drafts and active campaigns may be followed; stopped ones with a warning",
    "A2": "followers of a stopped campaign still react to what people do with its messages",
    "A3": "an archived campaign is recorded and fires nothing; waits of followers go on",
    "A4": "stopping cancels those who wait",
    "A5": "a wait keeps its delay; content is the newest",
    "A6": "a new trigger leaves waits alone",
    "A7": "messages of stopped campaigns do not reach devices",
    "A8": "a campaign that is over is not stopped by itself",
    "A9": "only drafts can be deleted",
    "A10": "a duplicate follows the same campaigns, and nobody follows it",
    "B1": "exceptions are any of up to twenty of all kinds",
    "B2": "an exception counts from the trigger to just before the send",
    "B3": "an event that is both restarts the wait",
    "B4": "an exception told after the send is too late",
    "B5": "an exception may be about any campaign",
    "B6": "an exception is an event only where it cancels",
    "B7": "a delay is at most a year",
    "B8": "the next weekday is strictly next",
    "B9": "local times are the user's, through clock changes",
    "B10": "one wait per user and campaign",
    "B11": "the window is checked twice",
    "B12": "the audience is checked on entry, and again if wanted",
    "B13": "the triggering event is not counted yet",
    "B14": "an exception cancels a held send",
    "B15": "any of several triggers, and the wait knows which",
    "B16": "no campaign follows itself; loops are told",
    "C1": "one campaign, a tag, or any",
    "C2": "body and buttons",
    "C3": "unsubscribing and scanners do not click",
    "C4": "opens of machines and of people",
    "C5": "receipt at hand-over, or delivery",
    "C6": "an in-app message may follow",
    "C7": "control users are enrolled at the trigger",
    "C8": "a control group for several channels",
    "C9": "conversions by letter, of the control group if asked",
    "C10": "every occurrence is an event",
    "C11": "views of a card",
    "C12": "aliases as they were sent",
    "C13": "the addressed user alone",
    "C14": "did not",
    "C15": "backfill",
    "C16": "the trigger in templates",
    "D1": "the order of the checks at due time",
    "D2": "quiet hours",
    "D3": "windows of caps",
    "D4": "re-eligibility in seconds",
    "D5": "who is in which variant",
    "D6": "rate limit and control group",
    "D7": "a control user's conversion window",
    "D8": "conversions of repeated receipts",
    "D9": "click-to-open",
    "D10": "unique opens and clicks",
    "D11": "users without a time zone",
    "D12": "segments in a circle",
    "D13": "a limit of recipients",
}

# Rules of which a part is not the engine's to keep, with what is promised here instead.
BEYOND_THE_ENGINE = {
    "A7": "a device asks again before it shows; the engine makes nothing available once stopped",
    "A8": "that a campaign is idle is computed by what shows it; nothing is stopped by itself",
    "C6": "the device shows the message at its next session; the engine makes it available",
    "C11": "no option keeps the first view alone; a follower's re-eligibility does",
    "D6": "semantics.md 3 enrols at the trigger, so that a rate limit concerns the treated alone",
    "D9": "the ratio is computed by what shows it; both its counters are the engine's",
}

# What semantics.md says, section by section: the tests that show it.
RULES = {
    1: (
        "a_draft_sends_nothing_and_nothing_is_recorded_against_it",
        "stopping_cancels_the_waiting_and_publishing_again_starts_anew",
        "archiving_cancels_with_its_own_reason",
        "publishing_and_stopping_are_entries_of_the_same_log_as_events",
        "a5_what_is_sent_is_the_newest_content_even_on_another_channel",
        "a_change_of_trigger_and_audience_governs_entries_after_it",
        "a_waiting_user_keeps_the_delay_and_exceptions_of_the_version_that_entered_them",
        "a_waiting_user_keeps_the_variant_of_the_version_that_entered_them",
        "a1_a_stopped_target_is_a_warning_and_an_archived_or_missing_one_an_error",
    ),
    2: (
        "as_a_trigger_it_enters_and_what_is_near_does_not",
        "did_not_sends_nothing_where_it_came_in_time",
        "c3_a_scanners_click_is_no_click_and_a_persons_is",
        "an_event_before_publication_never_enters_however_late_it_arrives",
        "c13_an_interaction_is_the_addressed_users_alone_even_with_a_shared_address",
        "a2_what_people_do_with_messages_of_a_stopped_campaign_still_fires",
        "a3_what_people_do_with_an_archived_campaign_is_recorded_and_fires_nothing",
        "a_connected_set_may_be_published_at_one_instant",
        "c15_a_backfill_enters_what_was_missed_once_with_the_delay_from_its_own_time",
        "b16_a_campaign_cannot_follow_itself_and_a_loop_is_told_at_publication",
    ),
    3: (
        "timers_due_by_the_instant_of_an_event_fire_before_it",
        "attributes_of_a_call_come_before_its_events_and_decide_about_them",
        "exceptions_come_before_conversions_and_these_before_triggers",
        "b13_the_event_that_triggers_is_not_counted_yet_but_its_attributes_are_set",
        "b2_an_exception_counts_from_the_triggers_instant_to_just_before_the_send",
        "the_first_entry_check_that_fails_is_the_reason",
        "c7_control_users_are_enrolled_at_the_trigger_after_all_checks_of_it",
        "b1_a_session_start_may_not_be_both_trigger_and_exception",
        "a_chain_with_no_act_of_a_person_is_cut_after_ten_hops",
        "b3_an_event_that_is_trigger_and_exception_restarts_the_wait",
        "each_delay_is_counted_from_the_event_and_never_earlier_than_now",
        "b8_the_next_weekday_is_strictly_next_and_the_same_day_a_week_away",
        "b9_local_times_are_the_users_and_a_clock_change_moves_or_repeats_them",
        "d1_the_checks_at_due_time_are_made_in_their_order",
        "a_time_of_day_skips_or_holds_what_comes_due_outside_it",
        "c6_a_follower_may_be_an_in_app_message_made_available_when_it_is_due",
        "re_eligibility_counts_from_the_last_send",
        "b10_a_second_trigger_during_a_wait_enters_nobody",
        "all_caps_must_hold_and_one_may_be_of_a_channel_or_a_tag",
        "d3_minutes_roll_and_days_are_those_of_the_users_calendar",
        "in_app_messages_and_cards_neither_count_nor_are_capped",
        "a_campaign_can_opt_out_and_then_chooses_whether_it_still_counts",
        "a_capped_message_is_gone_and_the_user_may_enter_again",
        "d2_quiet_hours_skip_or_hold_and_spread_what_they_held",
    ),
    4: (
        "each_operator_compares_attributes_and_properties_strictly_by_type",
        "an_unknown_attribute_satisfies_nothing_but_is_blank_and_not",
        "a_tree_joins_filters_by_all_any_and_not",
        "what_happened_is_counted_in_all_or_in_the_last_time",
        "what_users_did_with_campaigns_is_a_filter_and_so_is_its_opposite",
        "subscriptions_and_reachability_are_filters",
    ),
    5: (
        "everybody_has_a_share_by_the_hash_and_keeps_it_across_entries",
        "treated_users_never_become_control_nor_the_reverse",
        "one_to_eight_variants_share_a_hundred_per_cent",
    ),
    6: (
        "a_window_is_open_from_the_receipt_to_its_end_by_when_things_happened",
        "in_app_messages_convert_from_their_first_view_on",
        "d7_a_control_users_window_begins_at_enrolment",
        "d8_a_conversion_is_credited_once_to_the_latest_receipt",
        "every_campaign_whose_window_is_open_gets_its_own_conversion",
        "a_conversion_carries_the_properties_of_its_event_to_followers",
        "there_are_up_to_four_conversion_events_within_thirty_days",
    ),
    7: ("d9_and_d10_opens_and_clicks_are_counted_in_all_and_once_per_receipt",),
    8: (
        "the_same_event_id_of_one_user_is_applied_once_within_a_day",
        "the_same_log_gives_the_same_decisions_and_ids_at_any_batch_size",
        "a_hand_over_whose_end_nobody_knows_is_told_and_the_user_may_enter_again",
    ),
}
CODES = re.compile(r"[A-D]\d{1,2}")


@cache
def docstrings_by_test() -> dict[str, str]:
    """Return the docstrings of all tests, by name."""
    return {
        node.name: ast.get_docstring(node) or ""
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_")
    }


def codes_in(docstring: str) -> set[str]:
    """Return the decisions that a docstring names: "campaign-facts.md A1", or "… C1, C2"."""
    named = re.findall(r"campaign-facts\.md ([A-D]\d{1,2}(?:, [A-D]\d{1,2})*)", docstring)
    return {code for one in named for code in CODES.findall(one)}


def sections_in(docstring: str) -> set[int]:
    """Return the sections that a docstring names: "semantics.md 3", or "… 2, 5"."""
    named = re.findall(r"semantics\.md (\d(?:, \d)*)", docstring)
    return {int(section) for one in named for section in one.split(", ")}


def test_there_are_all_decisions_and_no_others() -> None:
    counts = {"A": 10, "B": 16, "C": 16, "D": 13}
    assert set(DECISIONS) == {
        f"{letter}{number}" for letter, most in counts.items() for number in range(1, most + 1)
    }
    assert set(BEYOND_THE_ENGINE) <= set(DECISIONS)


@pytest.mark.parametrize("code", DECISIONS)
def test_every_decision_has_a_test_that_is_named_for_it(code: str) -> None:
    named = [
        name
        for name, docstring in docstrings_by_test().items()
        if code in codes_in(docstring) and code.lower() in name.split("_")
    ]
    assert named, f"{code}: {DECISIONS[code]}"


@pytest.mark.parametrize(
    ("section", "rule"), [(section, rule) for section, rules in RULES.items() for rule in rules]
)
def test_every_rule_of_the_semantics_has_a_test_that_says_where_it_stands(
    section: int, rule: str
) -> None:
    docstring = docstrings_by_test().get(f"test_{rule}")
    assert docstring is not None, f"there is no test_{rule}"
    assert section in sections_in(docstring)


def test_every_section_of_the_semantics_has_rules() -> None:
    assert set(RULES) == set(range(1, 9))
