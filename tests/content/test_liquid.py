from typing import Any

import pytest

from segue.clock import FixedClock
from segue.content.liquid import Liquid, LiquidAborted, LiquidError, find_paths
from segue.model.instants import parse_instant

NOW = parse_instant("2026-11-01T10:00:00Z")


def fill(template: str, *, is_html: bool = False, **values: Any) -> str:
    return Liquid(FixedClock(NOW)).render(template, values, "email.subject", is_html=is_html)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hi {{ first_name }}", "Hi Ann"),
        ("Hi {{${first_name}}}", "Hi Ann"),
        ("Hi {{ ${first_name} | default: 'there' }}", "Hi Ann"),
        ("Hi {{${last_name} | default: 'there'}}", "Hi there"),
        ("{{custom_attribute.${tier}}}", "gold"),
        ("{{custom_attribute.${Loyalty Tier}}}", "first"),
        ("{{ custom_attribute.${limit} }}", "7"),
        ("{% if {{custom_attribute.${n}}} > 0 %}yes{% endif %}", "yes"),
        ("{% if custom_attribute.${n} == 3 %}yes{% endif %}", "yes"),
        ("{% assign a = {{custom_attribute.${n}}} %}{{ a | plus: 1 }}", "4"),
        ("{% for x in {{custom_attribute.${list}}} %}{{x}};{% endfor %}", "a;b;"),
        ("{{ 'literal ${first_name}' }}", "literal ${first_name}"),
        ("costs ${first_name} and $ and {x}", "costs ${first_name} and $ and {x}"),
        ("{{ nobody }}{{ nobody.at.all }}{{ first_name.nope }}", ""),
        ("a {{- ' b ' -}} c", "a b c"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("{% raw %}{{ x }}{% y %}{% endraw %}", "{{ x }}{% y %}"),
        ("a{% comment %} {{ {% nonsense %} {% endcomment %}b", "ab"),
        ("a{% # a remark %}b", "ab"),
        ("{{ '2026-11-02' | date: '%B %-d' }}", "November 2"),
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "2026-11-01 10:00"),
        ("{{ 1700000000 | date: '%F' }}", "2023-11-14"),
        ("{{ 'soon' | date: '%F' }}", "soon"),
        ("{{ 'Tue, 02 Jan 2024 10:00:00 +0000' | date: '%F %s' }}", "2024-01-02 1704189600"),
        ("{{ 'a' | md5 }}", "0cc175b9c0f1b6a831c399e269772661"),
        ("{{ 'a' | sha1 }}", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("{{ 'a' | sha2 | slice: 0, 8 }}", "ca978112"),
        ("{{ 'a' | hmac_sha1: 'k' | size }}", "40"),
        ("{{ 'a?' | base64 }}{{ 'YT8=' | base64_decode }}", "YT8=a?"),
        (
            "{{ 'a b&c' | url_param_escape }} {{ 'http://x/a b' | url_escape }}",
            "a%20b%26c http://x/a%20b",
        ),
        ("{{ quoted | json_escape }}", 'say \\"hi\\"'),
        ("{{ custom_attribute.list | as_json_string }}", '["a","b"]'),
        (
            "{{ 1234567.5 | number_with_delimiter }} {{ 'x' | number_with_delimiter }}",
            "1,234,567.5 x",
        ),
        ("{{ custom_attribute | property_accessor: 'tier' }}", "gold"),
        ("{{ 'a,b,a' | split: ',' | uniq | join: '+' }}", "a+b"),
        ("{{ '<p>a</p><script>b</script><!-- c -->d' | strip_html }}", "ad"),
        ("{{ 'aXb' | replace: 'X', '-' }}", "a-b"),
        ("{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% increment n %}", "ab0"),
    ],
)
def test_templates_are_filled_in(template: str, text: str) -> None:
    values = {"tier": "gold", "Loyalty Tier": "first", "n": 3, "limit": 7, "list": ["a", "b"]}
    assert fill(template, first_name="Ann", custom_attribute=values, quoted='say "hi"') == text


def test_in_html_values_are_escaped_and_what_the_author_wrote_is_not() -> None:
    name = "<script>alert('x')</script>"
    template = "<b>{{ first_name }}</b>{{ none | default: '<i>you</i>' }}"
    shown = "<b>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</b><i>you</i>"
    assert fill(template, is_html=True, first_name=name) == shown


@pytest.mark.parametrize("filter_", ["raw", "safe"])
def test_in_html_an_author_may_ask_for_a_value_as_it_is(filter_: str) -> None:
    assert fill("{{ x | " + filter_ + " }}", is_html=True, x="<b>") == "<b>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ x | upcase }}",
        "{{ x | append: '<br>' }}",
        "{{ '<br>' | append: x }}",
        "{{ x | replace: 'a', 'b' }}",
        "{{ 'q' | replace: 'q', x }}",
        "{{ x | split: ',' | join: '<br>' }}",
        "{{ x | date: '%Y' }}",
        "{{ 'now' | date: x }}",
        "{% capture y %}{{ x }}{% endcapture %}{{ y }}",
        "{% assign y = x | strip %}{{ y }}",
        "{% cycle x, 'a' %}",
        "{% tablerow i in list %}{{ i }}{% endtablerow %}",
        "{{ list }}{{ list | as_json_string }}",
        "{{ x | url_decode }}{{ x | escape_once }}",
        "{{ nobody | default: x }}",
        "{{ x | strip_newlines | squish | truncate: 30 | number_with_delimiter }}",
        "{% case 1 %}{% when 1 %}{% echo x %}{% endcase %}",
    ],
)
def test_in_html_no_filter_lets_a_value_become_a_tag(template: str) -> None:
    shown = fill(template, is_html=True, x="<img src=x>,", list=["<img src=x>"]).lower()
    assert "<img" not in shown
    assert "img src" in shown.replace("+", " ")


def test_outside_html_nothing_is_escaped() -> None:
    assert fill("{{ x }}", x="<b> & 'c'") == "<b> & 'c'"


def test_a_template_can_stop_its_message_and_say_why() -> None:
    template = "{% unless vip %}{% abort_message('no VIP') %}{% endunless %}ok"
    assert fill(template, vip=True) == "ok"
    with pytest.raises(LiquidAborted, match="no VIP"):
        fill(template)


@pytest.mark.parametrize("tag", ["{% abort_message %}", "{% abort_message() %}"])
def test_stopping_without_a_reason_has_one(tag: str) -> None:
    with pytest.raises(LiquidAborted, match="called abort_message"):
        fill(f"{tag}x")


def test_a_reason_may_be_a_variable() -> None:
    with pytest.raises(LiquidAborted) as stopped:
        fill("{% abort_message(why) %}", why="closed")
    assert stopped.value.reason == "closed"


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("a\nb {{ x | nope }}", 2, "no filter 'nope'"),
        ("a\n\n{% if x %}", 3, "endif"),
        ("{{ x", 1, "never closed"),
        ("x\n{% raw %}", 2, "never closed by endraw"),
        ("{% include 'a' %}", 1, "unexpected tag 'include'"),
        ("\n{{ 1 | divided_by: 0 }}", 2, "divide by 0"),
        ("{{ (1..1001) | join }}", 1, "at most 1000"),
        ("{{ ${} }}", 1, "names no variable"),
        ("{% break %}", 1, "unexpected 'break'"),
    ],
)
def test_an_error_says_which_template_which_line_and_why(
    template: str, line: int, reason: str
) -> None:
    with pytest.raises(LiquidError) as failed:
        fill(template)
    assert failed.value.line == line
    assert str(failed.value).startswith(f"email.subject, line {line}: ")
    assert reason in failed.value.reason


def test_a_template_without_faults_checks_well() -> None:
    assert Liquid(FixedClock()).check("{% if a %}{{ b | upcase }}{% endif %}", "x") is None


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("\n{% for x in %}{% endfor %}", "line 2: "),
        ("\n{{ a | nope }}", "line 2: there is no filter 'nope'"),
        ("{% for i in (1..5000) %}{% endfor %}", "more than 1000 numbers"),
    ],
)
def test_faults_are_found_before_any_user_is_known(template: str, message: str) -> None:
    problem = Liquid(FixedClock()).check(template, "messages[0].email.html")
    assert problem is not None
    assert problem.path == "messages[0].email.html"
    assert message in problem.message


def test_the_variables_of_a_template_are_found_wherever_they_are() -> None:
    template = (
        "{{ a.b | append: c }}{% for i in (1..d) %}{% if e contains f[g] %}{% cycle h, 'x' %}"
        "{% endif %}{% endfor %}{% case j %}{% when k %}{% endcase %}{% abort_message(l) %}"
    )
    roots = {path[0] for path in find_paths(template)}
    assert roots >= set("acdefghjkl")


def test_many_templates_do_not_fill_the_memory() -> None:
    liquid = Liquid(FixedClock())
    for number in range(2_500):
        liquid.render(f"{{{{ x }}}}{number}", {}, "x")
    large = "x" * 300_000
    for number in range(30):
        liquid.render(f"{{{{ x }}}}{number}{large}", {}, "x")
    assert len(liquid._kept) < 2_000
    assert liquid._kept_characters <= 4_000_000


def test_a_template_cannot_reach_what_python_hangs_on_a_value() -> None:
    template = "{{ x.__class__ }}{{ x['__class__'] }}{{ x.upper }}{{ y.keys }}{{ y.__init__ }}"
    assert fill(template, x="text", y={"a": 1}) == ""
