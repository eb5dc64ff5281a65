"""The answer in one or two sentences: did the user get it, and if not, what was decisive."""

from collections.abc import Collection, Iterator

from msgspec import Struct

from segue.engine.draft import Act
from segue.engine.listeners import Listener, exceptions_of, triggers_of
from segue.engine.recurrence import next_occurrence
from segue.engine.watching import Heard
from segue.model.explanations import Standing
from segue.model.log_records import ScheduleWalked, UserErased
from segue.model.state import Wait
from segue.runtime.account import Account, Deferral, Step
from segue.services.explanations.act_words import act_clause, happening_words
from segue.services.explanations.check_words import check_clause
from segue.services.explanations.entries import Entry, entries_of
from segue.services.explanations.hearing_words import hearing_clause
from segue.services.explanations.result_words import deferral_clause, settled_clause
from segue.services.explanations.words import Words, times

_ENDINGS = {"campaign_stopped": "stopped", "campaign_archived": "archived"}


class Summary(Struct, frozen=True):
    """How it stands, the reason if there is one, and both in words."""

    standing: Standing
    text: str
    reason: str | None = None


def summarise(account: Account, words: Words) -> Summary:
    """Return the answer, with a word of caution where the log has lost its beginning."""
    summary = _Summariser(account, words).summary()
    if account.begins_at is None or summary.standing in ("unknown_user", "draft"):
        return summary
    begins = words.at(account.begins_at)
    caution = f" The log begins on {begins}; what happened before is not considered."
    return Summary(summary.standing, summary.text + caution, summary.reason)


class _Summariser:
    def __init__(self, account: Account, words: Words) -> None:
        self._account = account
        self._words = words
        self._name = words.campaign(account.slug)
        self._user = words.user
        self._did_not = f"{self._user} did not get {self._name}"
        self._entries = entries_of(account.steps)

    def summary(self) -> Summary:
        """Return the first answer that fits, the present before the past."""
        membership = self._account.membership
        going_on = self._entries.going_on
        if not self._account.is_user_seen:
            return self._unknown()
        if self._account.slug not in self._account.plan.campaigns:
            return self._draft()
        if membership.wait is not None and going_on is not None:
            return self._waiting(membership.wait, going_on)
        if going_on is not None:
            return self._sending(going_on)
        if any(entry.is_accepted for entry in self._entries.ended):
            return self._sent()
        return self._not_sent()

    def _unknown(self) -> Summary:
        account, words = self._account, self._words
        erased = [step for step in account.steps if isinstance(step.touch, UserErased)]
        if erased:
            when = words.at(erased[-1].at)
            text = f"{self._user} was erased on {when}; nothing is known from before or since."
            return Summary("unknown_user", text)
        log = "the log"
        if account.begins_at is not None:
            log += f", which begins on {words.at(account.begins_at)}"
        text = (
            f"Nothing is known of a user {self._user}: there is no event and no profile in {log}."
        )
        return Summary("unknown_user", text)

    def _draft(self) -> Summary:
        begins_at = self._account.begins_at
        why = "it has never been published"
        if begins_at is not None:
            why = f"the log, which begins on {self._words.at(begins_at)}, has no publication of it"
        return Summary("draft", f"{self._did_not}: {why}. {self._deaf()}".rstrip())

    def _deaf(self) -> str:
        """Return the last thing that would have triggered it, had it been listening, if any."""
        outcomes = ("not_published", "stopped", "archived", "target_archived")
        found = list(_heard(self._account.steps, outcomes, "trigger"))
        if not found:
            return ""
        step, heard = found[-1]
        return self._words.sentence(f"{self._what(step)}; {hearing_clause(heard, self._words)}")

    def _waiting(self, wait: Wait, entry: Entry) -> Summary:
        held = ", held until the hours in which it may be sent" if wait.is_held else ""
        text = (
            f"{self._user} waits for {self._name} until {self._words.at(wait.due_at)}{held}, "
            f"because {self._what(entry.step)}."
        )
        version = self._account.plan.campaigns[self._account.slug].versions[wait.version]
        exceptions = exceptions_of(version.document)
        if exceptions:
            text += f" It is cancelled by {self._listed(exceptions)} before then."
        return Summary("waiting", text + self._sent_before())

    def _sent_before(self) -> str:
        sent_at = self._account.membership.sent_at
        if sent_at is None:
            return ""
        return f" {self._user} has had it before, last on {self._words.at(sent_at)}."

    def _sending(self, entry: Entry) -> Summary:
        decided_at = entry.ended.at if entry.ended is not None else 0
        text = f"{self._name} is being handed over to {self._user}"
        deferrals = [
            step.touch
            for step in self._account.steps
            if isinstance(step.touch, Deferral) and step.at >= decided_at
        ]
        if deferrals:
            text += f": {deferral_clause(deferrals[-1], self._words)}"
        else:
            text += f" since {self._words.at(decided_at)}; there is no answer yet"
        return Summary("sending", f"{text}.{self._sent_before()}")

    def _sent(self) -> Summary:
        ended = self._entries.ended
        accepted = [index for index, entry in enumerate(ended) if entry.is_accepted]
        last = ended[accepted[-1]]
        at = last.ended_by.at if last.ended_by is not None else 0
        often = f" {times(len(accepted))}, last" if len(accepted) > 1 else ""
        text = (
            f"{self._user} got {self._name}{often} on {self._words.at(at)}, because "
            f"{self._what(last.step)}."
        )
        later = ended[accepted[-1] + 1 :]
        if later:
            text += f" Since then: {self._ending(later[-1])}."
        return Summary("sent", text)

    def _not_sent(self) -> Summary:
        if self._entries.ended:
            last = self._entries.ended[-1]
            text = f"{self._did_not}: {self._ending(last)}."
            return Summary(self._standing_of(last), text, last.reason)
        deaf = self._deaf()
        if deaf:
            return Summary("not_listening", f"{self._did_not}: {deaf}")
        unmatched = list(_heard(self._account.steps, ("unmatched", "not_delivered"), "trigger"))
        if unmatched:
            step, heard = unmatched[-1]
            why = hearing_clause(heard, self._words)
            return Summary("not_matched", f"{self._did_not}: {self._what(step)}, but {why}.")
        return Summary("nothing", f"{self._did_not}: {self._nothing()}.")

    def _nothing(self) -> str:
        """Return that nothing ever came to the campaign, and what it waits for."""
        delivery = self._account.document.delivery
        campaign = self._account.plan.campaigns[self._account.slug]
        since = f"since it was published on {self._words.at(campaign.published_at)}"
        if delivery.type == "api":
            return f"no program has asked for it to be sent to {self._user} {since}"
        if delivery.schedule is not None:
            return self._schedule()
        wanted = self._listed(triggers_of(self._account.document))
        return f"nothing that {self._user} did {since} triggers it; it waits for {wanted}"

    def _schedule(self) -> str:
        schedule = self._account.document.delivery.schedule
        if any(isinstance(step.touch, ScheduleWalked) for step in self._account.steps):
            return f"when its schedule came, nothing was known of {self._user}"
        zone = self._account.plan.workspace.time_zone
        coming = next_occurrence(schedule, zone, self._account.now) if schedule else None
        if coming is None:
            return f"its schedule did not come to {self._user}, and comes no more"
        if coming.wall is not None:
            return f"its schedule has not come yet; it comes on {coming.wall}, local time"
        return f"its schedule has not come yet; it comes on {self._words.at(coming.walk_at)}"

    def _listed(self, listeners: list[Listener]) -> str:
        named = (happening_words(listener.happening, self._words) for listener in listeners)
        return " or ".join(dict.fromkeys(named))

    def _what(self, step: Step) -> str:
        """Return what happened and when."""
        act = step.touch
        assert isinstance(act, Act)  # noqa: S101 - nothing else enters a user, or is heard
        return f"{act_clause(act, self._words)} on {self._words.at(act.happened_at)}"

    def _standing_of(self, entry: Entry) -> Standing:
        if self._account.membership.control_at is not None:
            return "control"
        standings: dict[str, Standing] = {"refuse": "refused", "cancel": "cancelled"}
        return standings.get(entry.ended.decision if entry.ended else "", "skipped")

    def _ending(self, entry: Entry) -> str:
        """Return, as a clause, how a way into the campaign ended."""
        words, ended, by = self._words, entry.ended, entry.ended_by
        if ended is None or by is None:
            return self._what(entry.step)
        if ended.decision == "cancel":
            due = words.at(entry.due_at)
            if isinstance(by.touch, Act):
                return f"{self._what(by)}, while waiting for {due}"
            how = _ENDINGS[ended.reason or ""]
            return f"it was {how} on {words.at(by.at)}, while {self._user} was waiting for {due}"
        if entry.check is not None:
            why = check_clause(entry.check, words)
            if ended.decision in ("refuse", "control"):
                return f"{self._what(entry.step)}, but {why}"
            return f"it was due on {words.at(ended.at)}, but {why}"
        why = (
            settled_clause(entry.settled, self._account.document, words)
            if entry.settled is not None
            else ""
        )
        return f"it was to go out on {words.at(ended.at)}, but {why}"


def _heard(steps: list[Step], outcomes: Collection[str], role: str) -> Iterator[tuple[Step, Heard]]:
    for step in steps:
        for note in step.notes:
            if isinstance(note, Heard) and note.role == role and note.outcome in outcomes:
                yield step, note
