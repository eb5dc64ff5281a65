"""The pages on concepts do what they say: their examples are run, and decide as they state.

An example is documents (`yaml`), a log (`json`), and what is decided (`decisions`): instant, user,
campaign, decision. Only the campaigns that the last part names are compared.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from segue.engine.bucketing import bucket_of
from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.filters import KINDS, OPERATORS
from segue.model.instants import format_instant
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import read_line
from segue.runtime.offline import OfflineRun
from segue.services.project_files import read_yaml

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "concepts").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    page: str
    documents: list[str]
    log: str
    decisions: list[str]


def examples_of(page: Path) -> Iterator[Example]:
    documents: list[str] = []
    log = ""
    for kind, text in BLOCK.findall(page.read_text()):
        if kind == "yaml":
            documents.append(text)
        elif kind == "json":
            log = text
        elif kind == "decisions":
            yield Example(page.stem, documents, log, text.splitlines())
            documents, log = [], ""


EXPLAINED = DOCS / "explanation/publishing.md"
EXAMPLES = [example for page in (*PAGES, EXPLAINED) for example in examples_of(page)]


def project_of(documents: list[str]) -> Project:
    """Return the documents as a folder of them is read: each is what its fields say."""
    project = Project()
    for text in documents:
        raw = read_yaml(text, "the page")
        if "delivery" in raw:
            campaign = decode_campaign(raw)
            project.campaigns[campaign.slug] = campaign
        elif "filter" in raw:
            segment = decode_segment(raw)
            project.segments[segment.slug] = segment
        else:
            project.workspace = decode_workspace(raw)
    return project


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.page)
def test_an_example_decides_as_its_page_says(example: Example) -> None:
    lines = [line for text in example.log.splitlines() if (line := read_line(text.encode()))]
    survey = Survey()
    for line in lines:
        survey.look_at(line)
    verdicts = OfflineRun(project_of(example.documents), survey).feed(lines)
    named = {one.split()[2] for one in example.decisions}
    decided = [
        f"{format_instant(one.at)} {one.user_id} {one.campaign} {one.decision}"
        + (f": {one.reason}" if one.reason else "")
        for one in verdicts
        if one.campaign in named
    ]
    assert decided == example.decisions


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_on_a_concept_has_an_example_and_leaves_no_block_over(page: Path) -> None:
    found = list(examples_of(page))
    assert found
    blocks = [kind for kind, _ in BLOCK.findall(page.read_text())]
    in_examples = sum(len(one.documents) + 2 for one in found)
    assert len([kind for kind in blocks if kind in ("yaml", "json", "decisions")]) == in_examples


def test_the_map_of_the_documentation_has_every_page() -> None:
    listed = re.findall(r"\]\(([^)#]+\.md)\)", (DOCS / "README.md").read_text())
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert pages - {"README.md"} <= set(listed)


def test_every_operator_and_filter_is_on_the_page_of_audiences() -> None:
    rows = re.findall(r"^\| (.+?) \|", (DOCS / "concepts/audiences.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    joined = {"all", "any", "not"}  # told in the text
    wanted = {name.rstrip("_") for name in (*OPERATORS, *KINDS)}
    assert named == wanted - joined


def program(kind: str) -> str:
    page = DOCS / "concepts/variants-and-control.md"
    [text] = [text for found, text in BLOCK.findall(page.read_text()) if found == kind]
    return str(text)


PLACES = [bucket_of("offer", user) for user in ("ann", "cid", "eve")]


def test_the_program_in_python_computes_the_places_that_the_engine_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(program("python"), {})
    assert capsys.readouterr().out.strip() == str(PLACES)


@pytest.mark.skipif(shutil.which("b2sum") is None, reason="this machine has no b2sum")
def test_the_program_for_a_shell_computes_the_places_that_the_engine_does() -> None:
    done = subprocess.run(["sh", "-c", program("sh")], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(place) for place in PLACES]


def test_the_page_tells_the_places() -> None:
    told = "Both print {}, {} and {}: with the split above".format(*PLACES)
    assert told in (DOCS / "concepts/variants-and-control.md").read_text()
