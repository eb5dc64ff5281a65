"""`segue plan`, `apply` and `export`, driven as commands: on a data folder, and on a server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.documents import email, follower, interaction
from tests.support.servers import SegueServer

from segue.services.project_files import read_yaml

pytestmark = pytest.mark.slow

HTML = [email(**{"from": "hi@shop.test", "html": '<a href="{{ unsubscribe_url }}">Bye</a>'})]
DAY = {"after": "7d"}


class Repository:
    """A folder of documents, and a data folder, as somebody works on them."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "project"
        self.data = root / "data"
        self.root = root
        for name in ("campaigns", "segments"):
            (self.folder / name).mkdir(parents=True)

    def write(self, name: str, document: dict[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(document))

    def campaign(self, slug: str, *triggers: Any, **parts: Any) -> None:
        document = follower(slug, *triggers, **{"messages": HTML, **parts})
        self.write(f"campaigns/{slug}.yaml", document)

    def segue(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "segue", *arguments]
        variables = {**os.environ, "SEGUE_DATA": str(self.data), **environment}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=variables, cwd=self.root
        )

    def told(self, verb: str, *more: str, code: int = 0) -> list[str]:
        """Run a verb on the folder; return the lines it prints."""
        done = self.segue(verb, str(self.folder), *more)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.splitlines()

    def refused(self, verb: str, *more: str) -> str:
        """Run a verb that is refused; return the line that says why."""
        done = self.segue(verb, str(self.folder), *more)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout
        [line] = done.stderr.splitlines()
        return line


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    repository.campaign("sale", {"event": "go"})
    delivery = {"triggers": [interaction("email_click", "sale")], "delay": DAY}
    repository.campaign("second", delivery=delivery, audience={"segment": "fans"})
    fans = {"slug": "fans", "name": "Fans", "filter": {"attribute": "age", "gte": 18}}
    repository.write("segments/fans.yaml", fans)
    repository.write("workspace.yaml", {"time_zone": "Europe/Paris"})
    return repository


def test_a_plan_shows_a_line_for_each_change_and_the_order(repository: Repository) -> None:
    told = repository.told("plan", code=1)
    assert told[:-1] == [
        "~ workspace.yaml  time_zone: (default) → Europe/Paris",
        "+ segments/fans.yaml  new",
        "+ campaigns/sale.yaml  new, published",
        "+ campaigns/second.yaml  new, published",
        "To be published at one instant, in this order: second, sale",
    ]
    assert told[-1].startswith("3 new, 1 changed. Fingerprint: ")
    assert not repository.data.exists()  # it was asked, and nothing else


def test_an_apply_is_done_once_and_a_change_is_told_by_its_path(repository: Repository) -> None:
    assert repository.told("apply")[-2:] == [
        "Published at one instant, in this order: second, sale",
        "Applied: 3 new, 1 changed.",
    ]
    assert repository.told("apply") == ["No changes: 4 unchanged."]
    assert repository.told("plan") == ["No changes: 4 unchanged."]
    path = repository.folder / "campaigns" / "second.yaml"
    path.write_text(path.read_text().replace("7d", "3d"))
    told = repository.told("plan", code=1)
    assert told[0] == "~ campaigns/second.yaml  delivery.delay.after: 7d → 3d"
    assert told[1].startswith("1 changed, 3 unchanged.")


def test_a_long_text_is_shown_where_it_differs(repository: Repository) -> None:
    words = " ".join(f"word-{number}" for number in range(60))
    mail = {"from": "hi@shop.test", "html": f'<a href="{{{{ unsubscribe_url }}}}">{words}</a>'}
    repository.campaign("sale", {"event": "go"}, messages=[email(**mail)])
    repository.told("apply")
    mail["html"] = mail["html"].replace("word-30", "name-30")
    repository.campaign("sale", {"event": "go"}, messages=[email(**mail)])
    [line, *_] = repository.told("plan", code=1)
    shown = "…-28 word-29 word-30 word-31 … → …-28 word-29 name-30 word-31 …"
    assert line == f"~ campaigns/sale.yaml  messages[0].email.html: {shown}"


def test_what_the_folder_has_not_is_left_or_pruned(repository: Repository) -> None:
    repository.told("apply")
    (repository.folder / "campaigns" / "second.yaml").unlink()
    (repository.folder / "segments" / "fans.yaml").unlink()
    assert repository.told("plan") == [
        "Only on the server, left alone: segments/fans, campaigns/second (--prune takes them away)",
        "No changes: 2 unchanged.",
    ]
    told = repository.told("plan", "--prune", code=1)
    assert told[:2] == [
        "- segments/fans.yaml  deleted: not in the folder",
        "- campaigns/second.yaml  archived: not in the folder",
    ]
    assert repository.told("apply", "--prune")[-1] == "Applied: 2 gone, 2 unchanged."
    assert repository.told("apply", "--prune") == ["No changes: 2 unchanged."]


def test_a_plan_as_json_is_one_object(repository: Repository) -> None:
    [line] = repository.told("plan", "--json", code=1)
    plan = json.loads(line)
    assert plan["publish_order"] == ["second", "sale"]
    assert plan["changes"][0]["differences"] == [{"path": "time_zone", "new": "Europe/Paris"}]
    repository.told("apply", "--expect", plan["fingerprint"])
    assert "plan again" in repository.refused("apply", "--expect", plan["fingerprint"])
    assert json.loads(repository.told("plan", "--json")[0])["changes"] == []


def test_faults_are_one_line_that_names_files_and_paths(repository: Repository) -> None:
    repository.campaign("third", interaction("email_click", "lost"), audience={"segment": "fan"})
    line = repository.refused("apply")
    assert "campaigns/third.yaml: audience.segment: there is no segment" in line
    assert 'did you mean "fans"?' in line
    assert "campaigns/third.yaml: delivery.triggers[0].interact_with_campaign.campaign" in line
    repository.write("campaigns/fourth.yaml", {"slug": "fourth", "status": "published"})
    line = repository.refused("plan")
    assert "campaigns/fourth.yaml: status: must be one of draft, active" in line
    assert repository.segue("plan", str(repository.folder / "nowhere")).returncode == 1
    assert repository.segue("plan").returncode == 2


def test_an_export_is_what_was_applied_and_changes_nothing(repository: Repository) -> None:
    """Export, apply, export: the same bytes; and the author's own files stay as they are."""
    before = {path: path.read_bytes() for path in repository.folder.rglob("*.yaml")}
    repository.told("apply")
    assert repository.told("export") == []
    assert {path: path.read_bytes() for path in repository.folder.rglob("*.yaml")} == before
    out, again = str(repository.root / "out"), str(repository.root / "again")
    assert repository.segue("export", out).stdout.splitlines() == [
        "campaigns/sale.yaml",
        "campaigns/second.yaml",
        "segments/fans.yaml",
        "workspace.yaml",
    ]
    assert repository.segue("plan", out).stdout == "No changes: 4 unchanged.\n"
    assert repository.segue("apply", out, "--prune").stdout == "No changes: 4 unchanged.\n"
    other = {"SEGUE_DATA": str(repository.root / "other-data")}
    assert repository.segue("apply", out, **other).returncode == 0
    assert repository.segue("export", again, **other).returncode == 0
    written = [
        {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*.yaml")}
        for folder in (out, again)
    ]
    assert written[0] == written[1]


def test_subscriptions_and_the_name_of_the_sender_come_through(repository: Repository) -> None:
    group = {"slug": "news", "name": "News", "description": "Once a week."}
    named = {"name": "Corner Shop", "time_zone": "UTC"}
    workspace = {**named, "subscription_groups": [group]}
    repository.write("workspace.yaml", workspace)
    mail = {"from": "hi@shop.test", "html": '<a href="{{ preferences_url }}">Choose</a>'}
    own = [email(**mail, unsubscribe="all")]
    asked = {"subscription_group": "news", "subscription": "opted_in"}
    repository.campaign("sale", {"event": "go"}, messages=own, **asked)
    repository.told("apply")
    out = repository.root / "out"
    assert repository.segue("export", str(out)).returncode == 0
    assert read_yaml((out / "workspace.yaml").read_text(), "out") == workspace
    written = read_yaml((out / "campaigns" / "sale.yaml").read_text(), "out")
    assert {name: written[name] for name in asked} == asked
    assert written["messages"][0]["email"]["unsubscribe"] == "all"
    assert repository.segue("plan", str(out)).stdout == "No changes: 4 unchanged.\n"


def test_an_export_needs_something_to_export(repository: Repository) -> None:
    assert "no database of Segue" in repository.refused("export")
    assert not repository.data.exists()


def test_a_server_that_runs_is_worked_on_through_its_api(repository: Repository) -> None:
    with SegueServer(repository.data) as server:
        line = repository.refused("apply")
        assert "a server has the data folder" in line
        assert repository.told("plan", code=1)[-1].startswith("3 new")  # to look is allowed
        assert "--url http" in line
        line = repository.refused("plan", "--url", server.url, "--key", "wrong")
        assert "401" in line
        reach = ("--url", server.url)
        key = {"SEGUE_KEY": server.key}
        folder = str(repository.folder)
        assert repository.segue("plan", folder, *reach, **key).returncode == 1
        applied = repository.segue("apply", folder, *reach, **key)
        assert applied.stdout.splitlines()[-1] == "Applied: 3 new, 1 changed."
        assert repository.segue("plan", folder, *reach, **key).returncode == 0
        out = repository.root / "out"
        assert repository.segue("export", str(out), *reach, **key).returncode == 0
        assert repository.segue("plan", str(out), *reach, **key).returncode == 0
        assert repository.told("plan") == ["No changes: 4 unchanged."]
        repository.campaign("third", interaction("email_click", "lost"))
        line = repository.refused("apply", *reach, "--key", server.key)
        assert "campaigns/third.yaml: delivery.triggers[0]" in line
        server.user("ann", email="ann@people.test")
        server.event("ann", "go")
        assert server.decisions("ann", "sale")[0] == ("enter", None)
    (repository.folder / "campaigns" / "third.yaml").unlink()
    assert repository.told("plan") == ["No changes: 4 unchanged."]


def test_a_place_that_does_not_answer_is_told(repository: Repository) -> None:
    assert "no Segue server answers" in repository.refused("plan", "--url", "http://127.0.0.1:9")
    both = repository.segue("plan", str(repository.folder), "--url", "http://x", "--data", "y")
    assert both.returncode == 2
