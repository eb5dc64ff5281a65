"""Explanations as a terminal shows them: whole renderings, 80 columns wide."""

import io
from pathlib import Path

from inline_snapshot import snapshot
from rich.console import Console
from tests.support.reason_stories import document, explained
from tests.support.recorded import Recorded
from tests.support.story import EMAIL, campaign, interacts

from segue.cli.explanation_view import ExplanationView
from segue.model.explanations import Explanation

WIDTH = 80


def rendered(explanation: Explanation, *, show_all: bool = False, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    console = Console(file=sink, highlight=False, width=WIDTH)
    ExplanationView(console, WIDTH, show_all).show(explanation)
    sink.seek(0)
    return sink.read()


def resend() -> Recorded:
    return (
        Recorded(
            campaign("spring-sale", {"event": "sale"}, messages=EMAIL, name="Spring sale"),
            campaign(
                "resend",
                interacts("spring-sale", "email_receive"),
                delay="7d",
                exceptions=[interacts("spring-sale", "email_open")],
                messages=EMAIL,
                name="Resend to non-openers",
            ),
        )
        .workspace(time_zone="Europe/Paris")
        .publish("resend", "spring-sale")
        .waits("1h")
        .happens("ann", "sale")
        .happens("bob", "sale")
        .waits("2d")
        .happens("ann", "email_open", campaign="spring-sale")
        .waits("6d")
    )


def test_a_user_who_opened_in_time() -> None:
    assert rendered(resend().explain("ann", "resend")) == snapshot("""\
ann did not get “Resend to non-openers”: ann opened “Spring sale” on 3 Nov
11:00, while waiting for 8 Nov 11:00.

  campaign  resend: active, published 1 Nov 2026 10:00:00, version 1
  user      ann: not waiting
  as of     9 Nov 2026 11:00:00; times are of Europe/Paris

Sun 1 Nov 2026
10:00:00  “Resend to non-openers” was published, version 1.
11:00:00  ann received “Spring sale” by email.
          • It is what trigger 1 waits for.
          ✓ The campaign was active.
          ✓ It happened 1 hour after the campaign was published on 1 Nov 10:00.
          ✓ The campaign has no window.
          ✓ The audience is everybody.
          ✓ ann had not had it before.
          ✓ ann was not waiting for it.
          ✓ 1 send led to it with nobody acting in between, and fewer than 10
            may.
          ✓ The campaign has no control group.
          → ann entered, under version 1; due on 8 Nov 11:00, 7 days after it
            happened.

Tue 3 Nov 2026
11:00:00  ann opened “Spring sale”.
          • Exception 1 ends the wait until 8 Nov 11:00.
          → The wait of ann is cancelled.
""")


def test_the_page_about_explanations_shows_what_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs/explanation/why.md").read_text(encoding="utf-8")
    assert f"```text\n{rendered(resend().explain('ann', 'resend'))}```\n" in page


def test_a_user_who_got_it() -> None:
    assert rendered(resend().explain("bob", "resend")) == snapshot("""\
bob got “Resend to non-openers” on 8 Nov 11:00, because bob received “Spring
sale” by email on 1 Nov 11:00.

  campaign  resend: active, published 1 Nov 2026 10:00:00, version 1
  user      bob: not waiting; last sent 8 Nov 2026 11:00:00
  as of     9 Nov 2026 11:00:00; times are of Europe/Paris

Sun 1 Nov 2026
10:00:00  “Resend to non-openers” was published, version 1.
11:00:00  bob received “Spring sale” by email.
          • It is what trigger 1 waits for.
          ✓ The campaign was active.
          ✓ It happened 1 hour after the campaign was published on 1 Nov 10:00.
          ✓ The campaign has no window.
          ✓ The audience is everybody.
          ✓ bob had not had it before.
          ✓ bob was not waiting for it.
          ✓ 1 send led to it with nobody acting in between, and fewer than 10
            may.
          ✓ The campaign has no control group.
          → bob entered, under version 1; due on 8 Nov 11:00, 7 days after it
            happened.

Sun 8 Nov 2026
11:00:00  The wait of bob is over.
          ✓ The campaign was active.
          ✓ The campaign has no window.
          ✓ The audience is not looked at again (recheck_audience is off).
          ✓ It sends at any hour of the day.
          ✓ No quiet hours hold for it.
          ✓ bob is subscribed to email.
          ✓ No address of bob for email is known to be dead.
          ✓ No frequency cap is about it (email).
          → It is handed over.
11:00:00  The mail server took the email.
""")


def test_a_user_outside_the_audience() -> None:
    assert rendered(explained("not_in_audience")) == snapshot("""\
ann did not get “The offer”: ann did "go" on 1 Nov 11:00, but ann was not in the
audience: it asks that country is one of "FR", "BE" (it is "DE") and it leaves
out users of whom it holds that the event "bought" happened at least once in the
last 30 days (it happened once, on 1 Nov 10:00).

  campaign  c: active, published 1 Nov 2026 09:00:00, version 1
  user      ann: not waiting
  as of     1 Nov 2026 11:00:00; times are of UTC

Sun 1 Nov 2026
09:00:00  “The offer” was published, version 1.
09:00:00  The profile of ann was changed.
          • The attribute country is now "DE", and was not set.
11:00:00  ann did "go".
          • It is what trigger 1 waits for.
          ✓ The campaign was active.
          ✓ It happened 2 hours after the campaign was published on 1 Nov 09:00.
          ✓ The campaign has no window.
          ✗ ann was not in the audience: it asks that country is one of "FR",
            "BE" (it is "DE") and it leaves out users of whom it holds that the
            event "bought" happened at least once in the last 30 days (it
            happened once, on 1 Nov 10:00). [not_in_audience]
            ✗ all of these hold
              ✗ country is one of "FR", "BE"; it is "DE"
              ✗ this does not hold
                ✓ the event "bought" happened at least once in the last 30 days;
                  it happened once, on 1 Nov 10:00
          → ann does not enter.
""")


def many_sessions() -> Recorded:
    story = Recorded(document({"session_start": {}})).publish("c")
    for _ in range(20):
        story.happens("ann", "session_start").waits("1m")
    return story


def test_what_repeats_itself_is_counted_unless_all_is_wanted() -> None:
    found = many_sessions().explain("ann", "c")
    short, whole = rendered(found), rendered(found, show_all=True)
    assert "… 16 more of the same (--all shows them)" in short
    assert short.count("[not_re_eligible]") == 3
    assert whole.count("[not_re_eligible]") == 19


def test_no_line_is_wider_than_the_terminal() -> None:
    where = [{"property": "note", "eq": "y" * 50}]
    story = Recorded(document({"event": {"name": "go", "where": where}})).publish("c")
    story.happens("ann", "go", properties={"note": "x" * 500})
    lines = rendered(story.explain("ann", "c")).splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_a_terminal_without_our_signs_gets_plain_ones() -> None:
    story = Recorded(document(audience={"attribute": "vip", "eq": True})).publish("c")
    found = rendered(story.happens("ann", "go").explain("ann", "c"), encoding="ascii")
    assert 'ann did not get "The offer"' in found
    assert "          x ann was not in the audience" in found


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    story = Recorded(document())
    story.answers["c"] = ("refused", "refused", "550 \x1b[31mno\x07")
    found = rendered(story.publish("c").happens("ann", "go").explain("ann", "c"))
    assert "\x1b" not in found
    assert "\x07" not in found
