"""The docs cannot fall behind: what the program has, the reference has a heading for."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from segue.cli.main import COMMANDS
from segue.content.lint import errors_in, warnings_in
from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_workspace
from segue.model.channels import CHANNELS
from segue.model.instants import parse_instant
from segue.model.metrics import METRICS
from segue.model.reasons import REASONS
from segue.runtime.line_records import Project
from segue.runtime.lines import read_line
from segue.runtime.offline import OfflineRun
from segue.services.project_files import read_yaml
from segue.services.rates import message_rates
from segue.services.settings import Settings
from segue.services.stats import Stats

DOCS = Path(__file__).parent.parent / "docs"
README = Path(__file__).parent.parent / "README.md"
REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def ordered_headings(page: str) -> list[str]:
    lines = (REFERENCE / page).read_text().splitlines()
    return [line.removeprefix("## ").strip() for line in lines if line.startswith("## ")]


def headings(page: str) -> set[str]:
    return set(ordered_headings(page))


def test_the_readmes_five_minutes_do_what_it_says() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", README.read_text(), re.DOTALL)
    documents = [
        decode_campaign(read_yaml(text, "README")) for kind, text in blocks if kind == "yaml"
    ]
    lines = next(text for kind, text in blocks if kind == "json").encode().splitlines()
    run = OfflineRun(Project({campaign.slug: campaign for campaign in documents}))
    verdicts = run.feed(line for text in lines if (line := read_line(text)) is not None)
    verdicts += run.advance(parse_instant("2026-11-30T00:00:00Z"))
    resend = [(v.user_id, v.decision, v.reason) for v in verdicts if v.campaign == "resend"]
    assert sorted(resend, key=str) == [
        ("ann", "cancel", "exception_event"),
        ("ann", "enter", None),
        ("bob", "enter", None),
        ("bob", "send", None),
    ]


def blocks_of(page: str) -> list[tuple[str, str]]:
    return re.findall(r"```(\w+)\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_the_campaign_of_the_how_to_on_sending_is_a_good_one() -> None:
    [text] = [text for kind, text in blocks_of("howto/api-triggered.md") if kind == "yaml"]
    campaign = decode_campaign(read_yaml(text, "docs"))
    assert (campaign.delivery.type, errors_in(campaign), warnings_in(campaign)) == ("api", [], [])


def test_the_documents_of_the_how_to_on_subscriptions_are_good_ones() -> None:
    blocks = blocks_of("howto/subscriptions.md")
    workspace, weekly = [read_yaml(text, "docs") for kind, text in blocks if kind == "yaml"]
    campaign = decode_campaign(weekly)
    assert (errors_in(campaign), warnings_in(campaign)) == ([], [])
    groups = {group.slug for group in decode_workspace(workspace).subscription_groups}
    assert campaign.subscription_group in groups


@pytest.mark.parametrize("page", ["howto/push.md", "howto/sms.md", "howto/bounce-mail.md"])
def test_what_the_how_tos_on_providers_show_can_be_read(page: str) -> None:
    readers = {"yaml": _read_campaign, "toml": _read_settings, "json": _read_json}
    read = [readers[kind](text) for kind, text in blocks_of(page) if kind in readers]
    assert read


def _read_campaign(text: str) -> None:
    assert errors_in(decode_campaign(read_yaml(text, "docs"))) == []


def _read_settings(text: str) -> None:
    msgspec.convert(tomllib.loads(text), Settings)


def _read_json(text: str) -> None:
    msgspec.json.decode(text)


def test_every_command_has_its_heading() -> None:
    assert {f"segue {name}" for name in COMMANDS} == headings("commands.md")


def test_every_reason_has_its_heading() -> None:
    assert set(REASONS) == headings("reasons.md")


def test_every_metric_has_its_heading_and_says_there_what_the_program_says() -> None:
    assert set(METRICS) == headings("metrics.md")
    text = (REFERENCE / "metrics.md").read_text()
    for metric in METRICS.values():
        assert f"## {metric.name}\n\n{metric.sentence}\n" in text, metric.name


def test_every_field_of_a_campaigns_numbers_has_its_heading() -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(Stats)]
    assert ordered_headings("stats.md") == fields


def test_every_rate_is_in_the_table_of_rates() -> None:
    text = (REFERENCE / "stats.md").read_text()
    for channel in CHANNELS:
        for one in message_rates(channel, {}, None):
            assert f"| `{one.rate}` |" in text, one.rate


def test_every_setting_has_its_heading() -> None:
    assert set(settings_in(inspect.type_info(Settings))) == headings("settings.md")


def settings_in(kind: inspect.Type, path: str = "") -> Iterator[str]:
    """Yield the names of settings, those of nested ones with all that they stand in."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    structs = [one for one in kinds if isinstance(one, inspect.StructType)]
    if not structs:
        yield path
    for struct in structs:
        for field in struct.fields:
            yield from settings_in(field.type, f"{path}.{field.encode_name}".lstrip("."))
