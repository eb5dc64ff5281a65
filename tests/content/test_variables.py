"""What is found of the variables in templates."""

import pytest

from segue.content.variables import Reading, filter_names, find_readings, place_in


@pytest.mark.parametrize(
    ("template", "bare"),
    [
        ("Hi {{ first_name }}", ["first_name"]),
        ("Hi {{ first_name | upcase }}", ["first_name"]),
        ("Hi {{ first_name | default: 'you' }}", []),
        ("{% if plan %}{{ plan }}{% endif %}", []),
        ("{% assign x = plan %}{{ x }}", ["plan"]),
        ("{% for one in items %}{{ one }}{{ forloop.index }}{% endfor %}", []),
        ("{% capture x %}a{% endcapture %}{{ x }}", []),
        ("{{ custom_attribute.${plan} }}", ["custom_attribute.plan"]),
        ("{{ 'a' | append: plan }}", []),
        ("{{ broken", []),
        ("no Liquid", []),
    ],
)
def test_a_variable_is_bare_where_nothing_is_said_for_a_blank_one(
    template: str, bare: list[str]
) -> None:
    assert [".".join(one.path) for one in find_readings(template) if one.is_bare] == bare


def test_what_the_template_sets_itself_is_not_read_of_the_context() -> None:
    template = "{% assign x = 1 %}{% for y in z %}{{ x }}{{ y }}{{ w[v] }}{% endfor %}"
    assert [one.path for one in find_readings(template)] == [("z",), ("w", ""), ("v",)]


def test_a_place_is_told_as_its_author_counts() -> None:
    template = "Hi {{ first_nme }}"
    (found,) = find_readings(template)
    assert found == Reading(("first_nme",), 6, True)
    assert place_in(template, found.index) == "character 7"
    lines = f"Dear\nall,\n{template}"
    assert place_in(lines, find_readings(lines)[0].index) == "line 3, character 7"
    assert place_in(lines, 5) == "line 2, character 1"


def test_every_filter_is_named() -> None:
    assert {"default", "date", "number_with_delimiter", "upcase"} <= set(filter_names())
