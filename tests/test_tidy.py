"""A test of the code base itself: sizes, dead files, clocks, leftovers, links, records.

Goal: what a reviewer would have to look for each time is looked for here.
Method: read every file that git tracks or would track; say each offender as file:line.
"""

import ast
import re
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from segue.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent

SOURCE_LINES_MAX = 400  # a longer file is two nouns
TEST_LINES_MAX = 600  # a test may carry its tables
FUNCTION_LINES_MAX = 70  # what fits on a screen
DOCSTRING_LINES_MAX = 6  # what a module is for; more belongs in docs/
BLOB_BYTES_MAX = 500_000  # every clone carries it for ever
SENTENCE_WORDS_MIN = 3
HEADING_WORDS_MAX = 4  # "# What comes in" heads a group of limits, and explains none

NOT_TRACKED = re.compile(
    r"(^|/)(\.(?!ci/|gitignore|npmrc)|__pycache__|build/|dist/|segue-data/|node_modules/|screens/"
    r"|static/vendor/)"
)
CLOCK = "src/segue/clock.py"
COMMAND_MODULES = {place.split(":")[0] for place in COMMANDS.values()}  # imported when asked for
ENTRY_POINTS = {"segue", "segue.cli.main", "segue.__main__", *COMMAND_MODULES}
BANNED_MODULES = ("random", "secrets")
BANNED_NAMES = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "time.gmtime",
    "time.localtime",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
}
# Spelt in pieces, so that this file is no offender.
LEFTOVERS = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/" + "(work|home|root)" + "/")
REGISTRIES = re.compile(
    "pypi" + r"\.org|pythonhosted" + r"\.org|npmjs" + r"\.(org|com)|file:" + "///(opt|srv|mnt|tmp)/"
)
RECORD_SECTIONS = ["Context", "Decision", "Consequences", "How we would know it was wrong"]


@cache
def files() -> tuple[str, ...]:
    """Return the paths of all files that are tracked, or would be."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or no clone: an unpacked archive
        names = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")}
        names = {name for name in names if not NOT_TRACKED.search(name)}
    else:
        names = set(listed.stdout.split("\0"))
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@cache
def text_of(name: str) -> str | None:
    """Return a file's text; None if it is no text of ours."""
    if name.startswith("tests/seeds/"):
        return None
    try:
        text = (ROOT / name).read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text file and its text."""
    for name in files():
        text = text_of(name)
        if text is not None:
            yield name, text


def python_files(folder: str = "") -> Iterator[tuple[str, str]]:
    """Yield every Python file below a folder and its text."""
    return ((n, text) for n, text in texts() if n.endswith(".py") and n.startswith(folder))


@cache
def tree_of(name: str) -> ast.Module:
    """Return a Python file parsed."""
    return ast.parse(text_of(name) or "", name)


def markdown_files() -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Yield every Markdown file and its numbered lines, without code blocks."""
    for name, text in texts():
        if name.endswith(".md"):
            is_code = False
            lines = []
            for number, line in enumerate(text.splitlines(), 1):
                if line.lstrip().startswith("```"):
                    is_code = not is_code
                elif not is_code:
                    lines.append((number, line))
            yield name, lines


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Return every line of every text file that the pattern is found in."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def assert_none(offenders: list[str], rule: str) -> None:
    """Fail with every offender, and nothing else."""
    if offenders:
        pytest.fail(f"{rule}\n  " + "\n  ".join(offenders), pytrace=False)


def module_of(name: str) -> str:
    """Return the dotted name of a file in src."""
    parts = name.removeprefix("src/").removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_in(node: ast.AST, package: str = "") -> Iterator[str]:
    """Yield the dotted names a node imports; also those it names in text, to load them later."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        outer = ".".join(package.split(".")[: -node.level or None]) if node.level else ""
        base = ".".join(filter(None, (outer, node.module)))
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.partition(":")[0]


def aliases_in(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name of a file stands for."""
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                aliases[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return aliases


def dotted(node: ast.AST, aliases: dict[str, str]) -> str | None:
    """Return the full name that a chain of attributes stands for."""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, aliases)
        return owner and f"{owner}.{node.attr}"
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    return None


def clocks_in(name: str) -> Iterator[str]:
    """Yield every use of a clock or random source in a file."""
    tree = tree_of(name)
    aliases = aliases_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found = set(names_in(node))
        else:
            found = {dotted(node, aliases) or ""}
        for used in sorted(found):
            if used in BANNED_NAMES or used.split(".")[0] in BANNED_MODULES:
                yield f"{name}:{getattr(node, 'lineno', 0)}: {used}"


def test_no_python_file_is_longer_than_its_limit() -> None:
    offenders = [
        f"{name}:{count}: {count} lines, at most {limit}"
        for folder, limit in (("src/", SOURCE_LINES_MAX), ("tests/", TEST_LINES_MAX))
        for name, text in python_files(folder)
        if (count := len(text.splitlines())) > limit
    ]
    assert_none(offenders, "Files that are too long:")


def test_no_function_is_longer_than_a_screen() -> None:
    offenders = [
        f"{name}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
        for name, _ in python_files()
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert_none(offenders, "Functions that are too long:")


def test_every_module_says_in_a_few_lines_what_it_is_for() -> None:
    offenders = []
    for name, _ in python_files("src/"):
        docstring = ast.get_docstring(tree_of(name))
        if not docstring:
            offenders.append(f"{name}:1: no docstring")
        elif (count := len(docstring.splitlines())) > DOCSTRING_LINES_MAX:
            offenders.append(f"{name}:1: {count} lines, at most {DOCSTRING_LINES_MAX}")
    assert_none(offenders, "Module docstrings that are missing or too long:")


def test_no_module_is_there_without_being_used() -> None:
    used = {
        imported
        for name, _ in python_files("src/")
        for node in ast.walk(tree_of(name))
        for imported in names_in(node, module_of(name) + ("." if "__init__" in name else ""))
        if imported != module_of(name)
    }
    offenders = [
        f"{name}:1: nothing in src imports {module_of(name)}"
        for name, _ in python_files("src/")
        if not name.endswith("/__init__.py") and module_of(name) not in used | ENTRY_POINTS
    ]
    assert_none(offenders, "Dead files:")


def test_only_the_clock_reads_time_and_randomness() -> None:
    offenders = [
        found for name, _ in python_files("src/") if name != CLOCK for found in clocks_in(name)
    ]
    assert_none(offenders, f"Take a Clock instead; only {CLOCK} reads these:")


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nt.perf_counter()",
        "from time import monotonic_ns as ticks\nticks()",
        "from datetime import datetime as D\nD.now()",
        "import datetime\ndatetime.datetime.now()",
        "import random",
        "from secrets import token_hex",
        "import os\nnoise = os.urandom",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_a_clock_is_seen_through_any_alias(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "tree_of", lambda _: ast.parse(source))
    assert list(clocks_in("planted.py"))


def test_nothing_is_left_to_be_done_in_a_comment() -> None:
    assert_none(lines_with(LEFTOVERS), "Do it, or open an issue:")


def test_no_text_is_untidy_at_its_ends() -> None:
    offenders = []
    for name, text in texts():
        if text and not text.endswith("\n"):
            offenders.append(f"{name}:{len(text.splitlines())}: no newline at the end")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                offenders.append(f"{name}:{number}: white space at the end of the line")
            if "\t" in line and name.endswith(".py"):
                offenders.append(f"{name}:{number}: a tab")
    assert_none(offenders, "White space that nobody sees:")


def test_no_file_names_a_machine_or_a_registry() -> None:
    offenders = lines_with(MACHINE_PATHS) + lines_with(REGISTRIES)
    assert_none(offenders, "Paths and addresses that hold on one machine only:")


def test_no_file_is_a_burden_to_every_clone() -> None:
    offenders = [
        f"{name}:1: {size} bytes, at most {BLOB_BYTES_MAX}"
        for name in files()
        if (path := ROOT / name).exists()  # a failing test may be writing and deleting seeds
        if (size := path.stat().st_size) > BLOB_BYTES_MAX
    ]
    assert_none(offenders, "Files that are too large:")


def test_every_page_has_exactly_one_title() -> None:
    offenders = []
    for name, lines in markdown_files():
        titles = [number for number, line in lines if line.startswith("# ")]
        if name.startswith("changelog.d/") and not name.endswith("/README.md"):
            continue  # a fragment becomes a line of a page
        if len(titles) != 1:
            offenders.append(f"{name}:{titles[-1] if titles else 1}: {len(titles)} titles")
    assert_none(offenders, "Pages without one title:")


def test_every_relative_link_leads_to_a_file() -> None:
    offenders = []
    for name, lines in markdown_files():
        for number, line in lines:
            for target in re.findall(r"\]\(<?([^)\s>]+)", line):
                path = target.partition("#")[0]
                if path and not re.match(r"[a-z][a-z0-9+.-]*:", path):
                    found = ROOT / path[1:] if path[0] == "/" else (ROOT / name).parent / path
                    if not found.exists():
                        offenders.append(f"{name}:{number}: {target}")
    assert_none(offenders, "Links that lead nowhere:")


def test_every_changelog_fragment_says_what_kind_it_is() -> None:
    form = re.compile(r"changelog\.d/([a-z0-9-]+\.(added|changed|fixed|removed)|README)\.md")
    offenders = [
        f"{name}:1: not <word>.(added|changed|fixed|removed).md"
        for name in files()
        if name.startswith("changelog.d/") and not form.fullmatch(name)
    ]
    assert_none(offenders, "Changelog fragments of another form:")


def test_every_decision_record_has_its_four_sections() -> None:
    offenders = []
    numbers: dict[str, str] = {}
    for name, lines in markdown_files():
        if name.startswith("docs/decisions/"):
            number, _, words = name.removeprefix("docs/decisions/").partition("-")
            if not (re.fullmatch(r"\d{4}", number) and re.fullmatch(r"[a-z0-9-]+\.md", words)):
                offenders.append(f"{name}:1: not named NNNN-words.md")
            elif number in numbers:
                offenders.append(f"{name}:1: {numbers[number]} has the same number")
            numbers[number] = name
            sections = [line.removeprefix("## ") for _, line in lines if line.startswith("## ")]
            if sections != RECORD_SECTIONS:
                offenders.append(f"{name}:1: sections {sections}, not {RECORD_SECTIONS}")
    assert numbers
    assert_none(offenders, "Decision records of another form:")


def test_every_runtime_dependency_has_its_row_in_the_record() -> None:
    record = "docs/decisions/0006-dependencies.md"
    declared = tomllib.loads(text_of("pyproject.toml") or "")["project"]["dependencies"]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in declared}
    rows = set(re.findall(r"^\| (\w[\w-]*) \|", text_of(record) or "", re.MULTILINE))
    offenders = [f"{record}:1: no row for {name}" for name in sorted(names - rows)]
    offenders += [
        f"{record}:1: {name} is no dependency" for name in sorted(rows - names - {"name"})
    ]
    assert_none(offenders, "What each costs and how to leave it must be written down:")


def test_every_limit_gives_its_reason() -> None:
    name = "src/segue/model/limits.py"
    lines = (text_of(name) or "").splitlines()
    offenders = []
    for node in tree_of(name).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            above = lines[node.lineno - 2]
            is_explained_above = above.startswith("# ") and len(above.split()) > HEADING_WORDS_MAX
            if "  # " not in lines[node.lineno - 1] and not is_explained_above:
                offenders.append(f"{name}:{node.lineno}: {lines[node.lineno - 1]}")
    assert_none(offenders, "Limits without a comment that says why this number:")


def test_every_test_is_named_by_a_sentence() -> None:
    offenders = [
        f"{name}:{node.lineno}: {node.name}"
        for name, _ in python_files("tests/")
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name.split("_")) <= SENTENCE_WORDS_MIN
    ]
    assert_none(offenders, f"Test names of fewer than {SENTENCE_WORDS_MIN} words:")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "0.0.0.0"])
def test_no_test_can_leave_this_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as anything:
        with pytest.raises(RuntimeError, match="may only reach this machine"):
            anything.connect((host, 9))
        with pytest.raises(RuntimeError, match="may only reach this machine"):
            anything.bind((host, 0))
    with pytest.raises(RuntimeError, match="may only reach this machine"):
        socket.getaddrinfo("shop.test", 443)


def test_a_test_can_talk_to_this_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        here.connect(("localhost", here.getsockname()[1]))
