"""From an account of the log to an explanation: every step in words, and the answer first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, assert_never

import msgspec
from msgspec.structs import replace

from segue.engine.draft import Act
from segue.engine.profile_changes import Change
from segue.engine.watching import Check, Heard, Remark
from segue.model.campaigns import Campaign
from segue.model.events import AttributesSet, SendRetried, Settlement, TimerFired, event_id
from segue.model.explanations import (
    ExplainedCampaign,
    ExplainedChange,
    ExplainedCheck,
    ExplainedHearing,
    ExplainedLine,
    ExplainedResult,
    ExplainedStep,
    Explanation,
    StepKind,
    Waiting,
)
from segue.model.instants import MINUTE, to_datetime
from segue.model.limits import EXPLAINED_STEPS_MAX
from segue.model.log_records import CampaignPublished, CampaignStopped, ScheduleWalked, UserErased
from segue.model.traces import FilterTrace
from segue.model.verdicts import Verdict
from segue.runtime.account import Account, Deferral, Step
from segue.runtime.lines import verdict_line
from segue.services.explanations.act_words import act_clause
from segue.services.explanations.check_words import check_clause
from segue.services.explanations.document_changes import changed_paths
from segue.services.explanations.filter_words import with_sentences
from segue.services.explanations.hearing_words import hearing_clause
from segue.services.explanations.result_words import (
    deferral_clause,
    remark_clause,
    settled_clause,
    verdict_clause,
)
from segue.services.explanations.summary import summarise
from segue.services.explanations.words import Words, between, channel_word
from segue.storage.ports import StoredCampaign

_LATE = MINUTE  # sooner, and the delay between happening and arrival tells nothing


def explained(account: Account, stored: StoredCampaign) -> Explanation:
    """Return the account in words."""
    words = Words(account.user_id, account.plan, account.now, {account.slug: account.document.name})
    teller = _Teller(account, words)
    steps = [teller.step(step) for step in account.steps]
    summary = summarise(account, words)
    left_out = max(len(steps) - EXPLAINED_STEPS_MAX, 0)
    return Explanation(
        user_id=account.user_id,
        campaign=_campaign(account, stored),
        standing=summary.standing,
        summary=summary.text,
        as_of=to_datetime(account.now),
        time_zone=words.time_zone,
        steps=steps[left_out:],
        reason=summary.reason,
        waiting=_waiting(account),
        last_sent_at=_shown(account.membership.sent_at),
        log_begins_at=_shown(account.begins_at),
        left_out=left_out,
    )


def _campaign(account: Account, stored: StoredCampaign) -> ExplainedCampaign:
    published = account.plan.campaigns.get(account.slug)
    ends = [step.at for step in account.steps if isinstance(step.touch, CampaignStopped)]
    is_ended = published is not None and published.status != "active"
    return ExplainedCampaign(
        slug=account.slug,
        name=account.document.name,
        id=stored.id,
        status=published.status if published is not None else stored.status,
        version=published.newest.number if published is not None else stored.version,
        published_at=_shown(published.published_at if published is not None else None),
        ended_at=_shown(ends[-1] if ends and is_ended else None),
    )


def _waiting(account: Account) -> Waiting | None:
    wait = account.membership.wait
    if wait is None:
        return None
    return Waiting(
        to_datetime(wait.entered_at),
        to_datetime(wait.due_at),
        wait.is_held,
        wait.version,
        wait.variant,
    )


def _shown(instant: int | None) -> datetime | None:
    return to_datetime(instant) if instant is not None else None


class _Teller:
    """Tells steps one after the other; what an edit changed is told from the version before."""

    def __init__(self, account: Account, words: Words) -> None:
        self._account = account
        self._words = words
        self._document: Campaign | None = None
        self._wait_version: int | None = None

    def step(self, step: Step) -> ExplainedStep:
        """Return a step in words."""
        kind, clause = self._opening(step)
        told = ExplainedStep(
            at=to_datetime(step.at),
            kind=kind,
            sentence=self._words.sentence(clause),
            lines=[*map(self._change, step.changes), *self._lines(step)],
            decisions=[verdict_line(verdict) for verdict in step.verdicts()],
        )
        match step.touch:
            case Act() as act:
                told = replace(
                    told, happened_at=to_datetime(act.happened_at), event=_event_line(act)
                )
            case CampaignPublished(version=version):
                told = replace(told, version=version)
        return told

    def _opening(self, step: Step) -> tuple[StepKind, str]:
        words, name, touch = self._words, self._words.campaign(self._account.slug), step.touch
        kind: StepKind
        match touch:
            case Act():
                kind, clause = "happened", self._happening(touch)
            case TimerFired():
                kind, clause = "due", f"the wait of {words.user} is over"
            case Settlement(settled=settled):
                kind, clause = "settled", settled_clause(settled, self._account.document, words)
            case SendRetried(deliver=deliver):
                kind = "retried"
                clause = f"somebody had the {channel_word(deliver.channels[0])} tried once more"
            case Deferral():
                kind, clause = "deferred", deferral_clause(touch, words)
            case CampaignPublished():
                kind, clause = "edited" if touch.is_edit else "published", self._published(touch)
            case CampaignStopped(is_archived=is_archived):
                kind = "archived" if is_archived else "stopped"
                clause = f"{name} was {kind}"
            case ScheduleWalked():
                kind = "schedule"
                clause = f"its schedule came; nothing was known of {words.user} then"
            case AttributesSet():
                kind, clause = "profile", f"the profile of {words.user} was changed"
            case UserErased():
                kind, clause = "erased", f"{words.user} was erased; what was before is not told"
            case _:
                assert_never(touch)
        return kind, clause

    def _happening(self, act: Act) -> str:
        clause = act_clause(act, self._words)
        if act.now - act.happened_at < _LATE:
            return clause
        late = between(to_datetime(act.now), to_datetime(act.happened_at))
        return f"{clause} on {self._words.at(act.happened_at)}; it reached Segue {late} later"

    def _published(self, published: CampaignPublished) -> str:
        name, version = self._words.campaign(self._account.slug), published.version
        before, self._document = self._document, published.document
        if not published.is_edit:
            return f"{name} was published, version {version}"
        clause = f"{name} was edited and is version {version} now"
        if before is not None:
            clause += f"; changed: {changed_paths(before, published.document)}"
        if self._wait_version is not None:
            clause += f"; {self._words.user} waits on under version {self._wait_version}"
        return clause

    def _hearing(self, heard: Heard) -> ExplainedHearing:
        facts = {name: fact for name, fact in heard.facts.items() if name != "conditions"}
        return ExplainedHearing(
            role=heard.role,
            path=heard.path,
            outcome=heard.outcome,
            sentence=self._words.sentence(hearing_clause(heard, self._words)),
            conditions=heard.facts.get("conditions", []),
            facts=facts,
        )

    def _check(self, check: Check) -> ExplainedCheck:
        facts = check.facts
        trace = facts.get("audience")
        if isinstance(trace, FilterTrace):
            facts = {**facts, "audience": with_sentences(trace, self._words)}
        clause = check_clause(check, self._words)
        return ExplainedCheck(check.reason, check.is_passed, self._words.sentence(clause), facts)

    def _lines(self, step: Step) -> Iterator[ExplainedLine]:
        for note in step.notes:
            match note:
                case Heard():
                    yield self._hearing(note)
                case Check():
                    yield self._check(note)
                case Remark():
                    yield ExplainedResult(self._words.sentence(remark_clause(note, self._words)))
                    if note.what == "entered":
                        self._wait_version = note.facts["version"]
                case Verdict():
                    clause = verdict_clause(note, self._words)
                    if clause is not None:
                        yield ExplainedResult(self._words.sentence(clause))
                    if note.decision in ("send", "skip", "cancel"):
                        self._wait_version = None
                case _:
                    assert_never(note)

    def _change(self, change: Change) -> ExplainedChange:
        words, name = self._words, change.name
        match change.kind:
            case "attribute":
                after, was = (
                    "not set" if one is None else words.value(one)
                    for one in (change.after, change.before)
                )
                clause = f"the attribute {name} is now {after}, and was {was}"
            case "subscription":
                now, before = (str(one).replace("_", " ") for one in (change.after, change.before))
                clause = f"the subscription to {channel_word(name)} is now {now}, and was {before}"
            case _ if change.after is None:
                clause = f"the {channel_word(name)} address may be written to again"
            case _:
                clause = f"the {channel_word(name)} address is known to be dead"
        sentence = words.sentence(clause)
        return ExplainedChange(change.kind, name, change.before, change.after, sentence)


def _event_line(act: Act) -> dict[str, Any]:
    """Return the event as the timeline shows it, with the id it goes by."""
    line: dict[str, Any] = msgspec.to_builtins(act.event, builtin_types=(datetime,))
    return {**line, "id": act.derived_id or event_id(act.event, act.now, act.ordinal)}
