"""Folders of documents: what is read from them, and what an export writes into them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.problems import InvalidError
from segue.services.configuration import CampaignEntry, Configuration
from segue.services.project_export import to_yaml, write_project
from segue.services.project_files import read_folder, read_project, read_yaml
from tests.support.documents import campaign

pytestmark = pytest.mark.slow

HTML = '<p>Hello {{ first_name }}</p>\n<a href="https://shop.test">See</a>\n'
AWKWARD = [
    "yes",
    "NO",
    "on",
    "null",
    "~",
    "1",
    "1.0",
    "1e3",
    "0x1F",
    "0o7",
    "08",
    "1_000",
    ".inf",
    "2026-11-01",
    "2026-11-01T00:00:00Z",
    "09:00",
    "10:00",
    "190:20:30",
    "=",
    "<<",
    ".",
    "-",
    "?",
    "true",
    "TRUE",
    "y",
    "n",
    "---",
    "...",
]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",))),
    st.text(st.sampled_from(" \n\t#:-'\"|>{}[]&*!%@`,aé\r\x85\u2028\ufeff\0\U0001f600.")),
    st.sampled_from(AWKWARD),
)
SCALARS = st.one_of(
    TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=6
)


def entry(slug: str, status: Any = "active", **parts: Any) -> CampaignEntry:
    return CampaignEntry(decode_campaign(campaign(slug, **parts)), status)


def configuration(*entries: CampaignEntry) -> Configuration:
    fans = {"slug": "fans", "name": "Fans", "filter": {"attribute": "age", "gte": 18}}
    cap = {"slug": "weekly", "messages_max": 3, "within": "7d"}
    return Configuration(
        {one.document.slug: one for one in entries},
        {"fans": decode_segment(fans)},
        decode_workspace({"caps": [cap]}),
    )


def written(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*.*"))
    }


# Reading


def test_a_status_stands_beside_a_documents_fields(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(to_yaml({"status": "draft", **campaign("a")}))
    (tmp_path / "b.yaml").write_text(to_yaml(campaign("b")))
    found = read_folder(tmp_path).configuration
    assert {slug: one.status for slug, one in found.campaigns.items()} == {
        "a": "draft",
        "b": "active",
    }
    assert sorted(read_project(tmp_path).campaigns) == ["a", "b"]  # to `segue run` all the same


def test_faults_are_told_by_the_file_they_are_in_all_at_once(tmp_path: Path) -> None:
    for folder in ("campaigns", "segments"):
        (tmp_path / folder).mkdir()
    bad = {"status": "published", **campaign("a"), "nmae": "x"}
    (tmp_path / "campaigns" / "a.yaml").write_text(to_yaml(bad))
    (tmp_path / "segments" / "s.yaml").write_text("slug: s\nname: S\n")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9\n")
    (tmp_path / "workspace.yaml").write_text("time_zone: Atlantis\n")
    with pytest.raises(InvalidError) as caught:
        read_folder(tmp_path)
    assert {one.path for one in caught.value.problems} == {
        "campaigns/a.yaml: status",
        "campaigns/a.yaml: nmae",
        "segments/s.yaml: filter",
        "latin.yaml",
        "workspace.yaml: time_zone",
    }


def test_a_slug_that_two_files_have_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(to_yaml(campaign("same")))
    (tmp_path / "b.yaml").write_text(to_yaml(campaign("same")))
    with pytest.raises(InvalidError) as caught:
        read_folder(tmp_path)
    assert [one.path for one in caught.value.problems] == ["b.yaml: slug"]


# Writing


@given(st.dictionaries(TEXTS, VALUES))
@example({"\x85": []})
@example({"html": "a \nb\n"})
@example({"html": " a\n"})
@example({"html": "\n"})
def test_what_is_written_as_yaml_is_read_back_the_same(values: dict[str, Any]) -> None:
    again = read_yaml(to_yaml(values), "the text")
    assert json.dumps(again, sort_keys=True) == json.dumps(values, sort_keys=True)


def test_an_export_has_the_order_of_the_documents_and_texts_as_they_are(tmp_path: Path) -> None:
    messages = [{"email": {"html": HTML, "subject": "Hello", "text": "Hello!"}}]
    write_project(tmp_path, configuration(entry("resend", "stopped", messages=messages)))
    assert written(tmp_path) == {
        "campaigns/resend.yaml": """\
slug: resend
name: Resend to non-openers
status: stopped
delivery:
  triggers:
    - interact_with_campaign:
        interaction: email_receive
        campaign: spring-sale
  delay:
    after: 7d
  exceptions:
    - interact_with_campaign:
        interaction: email_other_open
        campaign: spring-sale
messages:
  - email:
      subject: Hello
      html: |
        <p>Hello {{ first_name }}</p>
        <a href="https://shop.test">See</a>
      text: Hello!
""",
        "segments/fans.yaml": """\
slug: fans
name: Fans
filter:
  attribute: age
  gte: 18
""",
        "workspace.yaml": """\
time_zone: UTC
caps:
  - slug: weekly
    messages_max: 3
    within: 7d
""",
    }


def test_a_file_that_says_the_same_is_left_as_it_is_wherever_it_lies(tmp_path: Path) -> None:
    text = "# Mine.\n" + to_yaml(campaign("resend")) + "re_eligibility: never # the default\n"
    (tmp_path / "second-try.yml").write_text(text)
    done = write_project(tmp_path, configuration(entry("resend")))
    assert (tmp_path / "second-try.yml").read_text() == text
    assert (done.unchanged, done.surplus) == (["second-try.yml"], [])
    assert done.written == ["segments/fans.yaml", "workspace.yaml"]


def test_a_document_keeps_its_file_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "second-try.yml").write_text(to_yaml(campaign("resend", name="Old")))
    (tmp_path / "other.json").write_text(json.dumps(campaign("other", name="Old")))
    (tmp_path / "bad.yaml").write_text("slug: bad-one\nnmae: x\n")
    done = write_project(tmp_path, configuration(*map(entry, ("resend", "other", "bad-one"))))
    assert done.written[:3] == ["bad.yaml", "other.json", "second-try.yml"]
    assert json.loads((tmp_path / "other.json").read_text())["name"] == "Resend to non-openers"
    found = read_folder(tmp_path)
    assert sorted(found.configuration.campaigns) == ["bad-one", "other", "resend"]


def test_files_of_what_is_not_there_are_named_and_left(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").write_text(to_yaml(campaign("gone")))
    (tmp_path / "broken.yaml").write_text("{")
    done = write_project(tmp_path, configuration(entry("resend")))
    assert done.surplus == ["broken.yaml", "gone.yaml"]
    assert (tmp_path / "gone.yaml").exists()


def test_times_countries_and_codes_are_text_without_quotes() -> None:
    """YAML 1.1 would make 1260 of 21:00, false of NO, and 668 of 01234."""
    read = read_yaml("{to: 21:00, at: 09:00, country: NO, zip: 01234, n: 12, f: 1.5, t: true}", "x")
    assert read == {
        "to": "21:00",
        "at": "09:00",
        "country": "NO",
        "zip": "01234",
        "n": 12,
        "f": 1.5,
        "t": True,
    }
