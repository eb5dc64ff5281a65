"""Sentences of the timeline and the live feed: none is missing, each says what it is about."""

from typing import get_args

import pytest

from segue.engine.draft import Act
from segue.engine.plan import EMPTY_PLAN
from segue.engine.sending import Obstacle
from segue.model.devices import Device
from segue.model.effects import Deliver
from segue.model.events import (
    API_TRIGGER,
    SCHEDULE,
    AttributeChange,
    DeviceChanged,
    Event,
    SendRetried,
    SendSettled,
)
from segue.model.instants import HOUR, parse_instant
from segue.model.log_records import UserErased
from segue.model.reasons import REASONS
from segue.model.state import TriggerContext
from segue.model.verdicts import Verdict, VerdictKind
from segue.runtime.moments import PutOff, What
from segue.services.explanations.result_words import SETTLED_WORDS
from segue.services.explanations.words import Words
from segue.services.failures import REMEDIES
from segue.services.moment_words import (
    PROBLEMS,
    is_problem,
    kind_of,
    label_of,
    sentence_of,
)

NOW = parse_instant("2026-11-03T10:00:00Z")
WORDS = Words("ann", EMPTY_PLAN, NOW, {"offer": "Spring sale"})


def said(what: What) -> str:
    return sentence_of(what, WORDS, EMPTY_PLAN)


def act(name: str, **more: object) -> Act:
    return Act(Event("ann", name, **more), NOW, NOW)  # type: ignore[arg-type]


def verdict(decision: VerdictKind, **more: object) -> Verdict:
    return Verdict(NOW, "ann", "offer", decision, "e1", **more)  # type: ignore[arg-type]


SAID: list[tuple[What, str, str]] = [
    (act("go"), "event", 'ann did "go".'),
    (act("email_open", campaign="offer"), "interaction", "ann opened “Spring sale”."),
    (
        act(API_TRIGGER, campaign="offer"),
        "event",
        "A program asked for “Spring sale” to be sent to ann.",
    ),
    (act(SCHEDULE, campaign="offer"), "event", "The schedule of “Spring sale” came to ann."),
    (
        AttributeChange("ann", {"city": "Ghent", "phone": None}),
        "profile",
        'The profile of ann was changed: city is now "Ghent", phone was taken away.',
    ),
    (
        AttributeChange("ann", {f"a{n}": n for n in range(6)}),
        "profile",
        "The profile of ann was changed: a0 is now 0, a1 is now 1, a2 is now 2, a3 is now 3, "
        "2 more attributes.",
    ),
    (
        DeviceChanged("ann", Device("d1", "ios")),
        "profile",
        "The iOS device 'd1' of ann takes push from now on.",
    ),
    (
        DeviceChanged("ann", Device("d1", "web"), is_removed=True),
        "profile",
        "The browser 'd1' of ann no longer takes push.",
    ),
    (UserErased(NOW, "ann"), "profile", "ann was erased; what was before is not told."),
    (verdict("enter", due=NOW), "decision", "ann enters “Spring sale”."),
    (
        verdict("enter", due=NOW + HOUR),
        "decision",
        "ann waits for “Spring sale” until 3 Nov 11:00.",
    ),
    (
        verdict("refuse", reason="not_in_audience"),
        "decision",
        "ann does not enter “Spring sale”: the user was not in the audience at that moment.",
    ),
    (
        verdict("control", reason="control_group"),
        "decision",
        "ann is in the control group of “Spring sale”, which gets nothing.",
    ),
    (
        verdict("cancel", reason="campaign_stopped"),
        "decision",
        "ann waits no more for “Spring sale”: the campaign was stopped.",
    ),
    (
        verdict("skip", reason="aborted", detail="{name} is out"),
        "decision",
        "“Spring sale” is not sent to ann: the message's template aborted it for this user "
        "({name} is out).",
    ),
    (verdict("send", send_id="s1"), "send", "“Spring sale” is handed over for ann."),
    (
        verdict("convert", conversion_event="A"),
        "decision",
        "ann converts from “Spring sale” (A).",
    ),
    (
        SendSettled("ann", "offer", "s1", "email", "accepted"),
        "receipt",
        "“Spring sale”: the email was taken.",
    ),
    (
        SendSettled("ann", "offer", "s1", "sms", "skipped", "no_address"),
        "receipt",
        "“Spring sale”: the profile of ann has no address for SMS.",
    ),
    (
        PutOff("ann", "offer", "s1", "email", NOW + HOUR, "busy"),
        "receipt",
        "“Spring sale”: the email was not taken (busy); it is tried again on 3 Nov 11:00.",
    ),
    (
        SendRetried(
            Deliver("s1", "ann", "offer", "A", ["email"], NOW, TriggerContext("go", NOW, "e1")),
            NOW,
        ),
        "send",
        "Somebody had the email of “Spring sale” tried again.",
    ),
]


@pytest.mark.parametrize(("what", "kind", "sentence"), SAID, ids=[one[2][:40] for one in SAID])
def test_each_kind_of_thing_has_its_sentence(what: What, kind: str, sentence: str) -> None:
    assert said(what) == sentence
    assert kind_of(what) == kind
    assert label_of(what)[0]


@pytest.mark.parametrize("decision", get_args(VerdictKind))
@pytest.mark.parametrize("reason", [None, *REASONS])
def test_no_decision_is_without_words_whatever_its_reason(
    decision: VerdictKind, reason: str | None
) -> None:
    sentence = said(verdict(decision, reason=reason, due=NOW))
    assert sentence.endswith(".")
    assert "“Spring sale”" in sentence
    assert "None" not in sentence.replace("(None)", "")


def test_names_with_braces_stay_as_they_are() -> None:
    words = Words("{user}", EMPTY_PLAN, NOW, {"offer": "{0} {why}"})
    sentence = sentence_of(verdict("cancel", reason="exception_event"), words, EMPTY_PLAN)
    assert sentence.startswith("{user} waits no more for “{0} {why}”: ")


def test_problems_are_what_somebody_can_mend() -> None:
    assert is_problem(verdict("skip", reason="template_error"))
    assert is_problem(SendSettled("ann", "offer", "s1", "email", "refused", "refused"))
    assert is_problem(PutOff("ann", "offer", "s1", "email", NOW))
    assert is_problem(act("email_bounce", campaign="offer"))
    assert not is_problem(verdict("refuse", reason="not_in_audience"))
    assert not is_problem(verdict("cancel", reason="exception_event"))
    assert not is_problem(SendSettled("ann", "offer", "s1", "email", "accepted"))


def test_every_message_that_does_not_go_out_has_a_remedy() -> None:
    """Why messages end without going out: what becomes of them, and what closes their channel."""
    endings = {*SETTLED_WORDS, *get_args(Obstacle), "frequency_cap"}
    assert set(REMEDIES) == endings
    assert set(REASONS) >= PROBLEMS
    assert all(one.endswith(".") for one in REMEDIES.values())
