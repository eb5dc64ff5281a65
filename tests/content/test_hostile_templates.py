"""Templates that try to hold the process: each must end early, by our bounds, in little memory.

Time is asserted on counters and on generous processor time, so that a busy machine fails nothing.
"""

import time
import tracemalloc
from typing import Any

import pytest

from segue.clock import FixedClock, SystemClock
from segue.content.budget import WORK_MAX, Budget
from segue.content.liquid import Liquid, LiquidError
from segue.content.sandbox import parse_template
from segue.model.limits import MESSAGE_BYTES_MAX, RENDER_MEMORY_BYTES_MAX, RENDER_TIME_MAX

pytestmark = pytest.mark.slow

# Twenty times the limit: tracemalloc makes everything several times slower, and so do neighbours
# who take the processor's caches.
CPU_SECONDS_MAX = 2.0


def doubling(step: str, start: str = "{% assign x = 'abcdefgh' %}", times: int = 60) -> str:
    return start + step * times


HOSTILE = {
    "a long range joined": "{{ (1..50000000) | join: ',' | size }}",
    "a range of astronomic length": "{{ (1..99999999999999999999999) | size }}",
    "a range as an argument": "{{ 'a' | append: (1..50000000) }}"
    "{{ 'a' | split: '' | concat: (1..9999999) }}",
    "a range kept in a variable": "{% assign r = (1..50000000) %}{{ r | reverse | first }}",
    "a range with a computed end": "{% assign n = 50000000 %}{{ (1..n) | sort | last }}",
    "a range reversed in a loop": "{% for i in (1..50000000) reversed limit:1 %}{% endfor %}",
    "a range in a table row": "{% tablerow i in (1..50000000) %}{{ i }}{% endtablerow %}",
    "a range searched for a fraction": "{% if (1..99999999999) contains 1.5 %}yes{% endif %}",
    "a range in a cycle": "{% cycle (1..50000000), 'a' %}{{ (1..50000000) | map: 'x' }}",
    "a range in a case": "{% case 1 %}{% when (1..50000000) %}{% endcase %}"
    "{% assign a = (1..50000000) | sum %}",
    "a range inside an index": "{{ a[(1..50000000)] }}{{ (1..50000000) | where: 'a' }}",
    "loops in loops": "{% for a in (1..1000) %}" * 5 + "x" + "{% endfor %}" * 5,
    "loops in loops that write nothing": "{% for a in (1..999) %}" * 3
    + "{% if true %}{% endif %}"
    + "{% endfor %}" * 3,
    "loops after loops": "{% for a in (1..1000) %}{% if a %}{% endif %}{% endfor %}" * 600,
    "a loop round many tags": "{% for a in (1..1000) %}"
    + "{% assign b = a %}" * 2_000
    + "{% endfor %}",
    "a loop round many filters": "{% for a in (1..1000) %}{{ a"
    + " | plus: 1" * 300
    + " }}{% endfor %}",
    "one when many times": "{% for a in (1..1000) %}{% case 1 %}{% when "
    + ",".join("1" * 500)
    + " %}x{% endcase %}{% endfor %}",
    "whens in whens": "{% case 1 %}{% when 1,1,1,1,1,1,1,1 %}" * 20 + "x" + "{% endcase %}" * 20,
    "text appended to itself": doubling("{% assign x = x | append: x %}"),
    "text put before itself": doubling("{% assign x = x | prepend: x %}"),
    "text captured twice": doubling("{% capture x %}{{ x }}{{ x }}{% endcapture %}"),
    "each letter replaced": doubling("{% assign x = x | replace: 'a', x %}"),
    "nothing replaced by much": doubling("{% assign x = x | replace: '', x %}"),
    "a list joined by itself": doubling("{% assign x = x | split: '' | join: x %}"),
    "a list and itself": doubling(
        "{% assign x = x | concat: x %}", "{% assign x = 'a,b' | split: ',' %}"
    ),
    "a list of lists flattened": "{% assign x = big | map: 'k' %}"
    + "{% assign x = x | concat: x | concat: x %}" * 20
    + "{{ x | size }}",
    "markup escaped again and again": doubling("{% assign x = x | escape %}", times=400).replace(
        "abcdefgh", "&" * 2_000
    ),
    "a URL encoded again and again": doubling("{% assign x = x | url_encode %}", times=400).replace(
        "abcdefgh", "%" * 2_000
    ),
    "base64 of base64": doubling("{% assign x = x | base64_encode %}", times=200),
    "breaks for line ends": doubling(
        "{% assign x = x | newline_to_br | append: x %}", "{% assign x = '\n\n\n\n' %}"
    ),
    "a number squared": doubling("{% assign x = x | times: x %}", "{% assign x = 99999 %}"),
    "a number of four thousand digits": "{{ " + "9" * 3_900 + " | times: 1 }}",
    "a text of many digits": "{{ digits | plus: 1 }}{{ digits | times: digits }}",
    "a decimal of many digits": "{{ '1e999999999' | plus: 1 }}{{ '1e999999' | modulo: 7 }}",
    "infinity rounded": "{{ 'inf' | ceil }}",
    "many places": "{{ 1.5 | round: 999999999999 }}{{ 'nan' | floor }}",
    "a wide date": "{{ '2024-01-01' | date: '%9999999999d' }}",
    "a long form of a date": "{{ '2024-01-01' | date: digits }}",
    "a date of many digits": "{{ digits | date: '%Y' }}" * 1_000 + "{{ (1..1001) | size }}",
    "many variables": "{% capture big %}"
    + "x" * 150_000
    + "{% endcapture %}"
    + "".join(f"{{% assign v{n} = big | append: '{n}' %}}" for n in range(400)),
    "captures in captures": "{% capture a %}" * 25
    + "x" * 300_000
    + "{% endcapture %}{{ a }}{{ a }}" * 25,
    "cycles with long keys": "{% capture b %}"
    + "x" * 100_000
    + "{% endcapture %}{% for i in (1..1000) %}{% cycle b, i %}{% endfor %}",
    "a long output": "{% capture b %}"
    + "x" * 50_000
    + "{% endcapture %}{% for i in (1..1000) %}{{ b }}{% endfor %}",
    "a counter in a loop": "{% for i in (1..1000) %}{% for j in (1..1000) %}{% increment n %}"
    "{% endfor %}{% endfor %}",
    "distinct values of a long list": "{% for i in (1..1000) %}"
    "{{ letters | split: '' | uniq | size }}"
    "{% endfor %}",
    "sorting in a loop": "{% for i in (1..1000) %}"
    "{{ letters | split: ' ' | sort | size }}{% endfor %}",
    "markup never closed": "{% for i in (1..1000) %}{{ scripts | strip_html | size }}{% endfor %}",
    "blocks nested deep": "{% if true %}" * 1_400 + "x" + "{% endif %}" * 1_400,
    "more blocks than fit": "{% if true %}" * 15_000 + "x" + "{% endif %}" * 15_000,
    "brackets nested deep": "{{ " + "a[" * 1_000 + "b" + "]" * 1_000 + " }}",
    "ranges nested deep": "{{ " + "(" * 1_000 + "1..2" + ")" * 1_000 + " }}",
    "many terms": "{% if " + "true and " * 400 + "true %}x{% endif %}" + "{{ (1..1001) | size }}",
    "tags without end": "{{ x }}" * 58_000,
    "filters without end": "{{ x" + " | upcase" * 40_000 + " }}",
    "a tag never closed": "{% " + "a" * 400_000,
    "an output never closed": "{{ " * 130_000,
    "a name never closed": "{{ " + "${" * 190_000,
    "raw never closed": "{% raw %}" * 44_000,
    "comments never closed": "{% comment %}" * 30_000,
    "doc never closed": "{% doc %}" * 44_000,
    "a tag of blanks": "{%" + " " * 400_000 + "%}",
    "opening parentheses": ("{{ " + "(" * 3_900 + " }}") * 100,
    "opening brackets": ("{{ " + '["' * 1_900 + " }}") * 100,
    "too long a template": "x" * MESSAGE_BYTES_MAX + "{{ x }}",
    "a template inside": "{% include 'a' %}",
    "a template rendered inside": "{% render 'a' %}",
}
VALUES: dict[str, Any] = {
    "digits": "9" * 150_000,
    "letters": "".join(chr(0x4E00 + n % 20_000) for n in range(20_000)) + " a b c" * 5_000,
    "scripts": "<script " * 20_000,
    "big": [{"k": [[n] * 10 for n in range(100)]} for _ in range(10)],
}


@pytest.mark.parametrize("is_html", [False, True], ids=["text", "html"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_stopped_in_time_and_memory(name: str, is_html: bool) -> None:
    liquid = Liquid(SystemClock())
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(LiquidError):
            liquid.render(HOSTILE[name], VALUES, "email.html", is_html=is_html)
        elapsed = time.process_time() - started
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert elapsed < CPU_SECONDS_MAX
    assert peak < RENDER_MEMORY_BYTES_MAX


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_stopped_by_counting_where_the_clock_stands_still(name: str) -> None:
    with pytest.raises(LiquidError):
        Liquid(FixedClock()).render(HOSTILE[name], VALUES, "email.html")


class TickingClock(FixedClock):
    """A clock that moves a millisecond each time somebody looks at it."""

    def monotonic(self) -> float:
        self.advance(1_000)
        return super().monotonic()


def test_a_template_that_takes_too_long_is_stopped_by_the_clock() -> None:
    clock = TickingClock()
    busy = "{% for i in (1..1000) %}{{ i | plus: 1 }}{{ i | append: 'x' | size }}{% endfor %}"
    with pytest.raises(LiquidError, match="longer than 100 ms"):
        Liquid(clock).render(busy * 5, {}, "email.html")
    assert clock.now() <= RENDER_TIME_MAX + 10_000


def test_a_pause_of_the_process_is_not_held_against_a_short_template() -> None:
    class PausedClock(FixedClock):
        def monotonic(self) -> float:
            self.advance(10_000_000)
            return super().monotonic()

    text = Liquid(PausedClock()).render("{% for i in (1..100) %}{{ i }}{% endfor %}", {}, "x")
    assert text.startswith("123")


def test_the_work_of_a_newsletter_is_a_small_part_of_what_is_allowed() -> None:
    items = [{"name": f"Thing {n}", "price": n} for n in range(50)]
    template = parse_template(
        "{% for item in items %}<b>{{ item.name | upcase }}</b> {{ item.price | times: 1.2 }}"
        "{% if item.price > 3 %}!{% endif %}{% endfor %}",
        is_html=True,
    )
    budget = Budget(FixedClock())
    assert "THING 49" in template.fill({"items": items}, budget)
    assert budget.work < WORK_MAX / 50
