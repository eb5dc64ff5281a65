"""Every document goes through the composer's forms unchanged, whatever is written in it."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser
from tests.support.forms import form_of
from tests.support.members import Team
from tests.support.servers import SegueServer

from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.services.differences import plain

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[3]
_STEPS = ("message", "delivery", "audience", "limits", "conversions")


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((_ROOT / "tests/examples").glob("*/campaigns/*.yaml")):
        yield f"{path.parts[-3]}/{path.stem}", yaml.safe_load(path.read_text())
    seen = 0
    for page in sorted((_ROOT / "docs/concepts").glob("*.md")):
        blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
        for block in blocks:
            for document in yaml.safe_load_all(block):
                if isinstance(document, dict) and "delivery" in document and "slug" in document:
                    seen += 1
                    yield f"{page.stem}/{document['slug']} {seen}", document
    for name in ("everything", "all_messages"):
        yield name, yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text())
    for name, delivery in _DELIVERIES.items():
        message = {"email": {"subject": "S", "text": "T"}}
        document = {"slug": "d", "name": "D", "delivery": delivery, "messages": [message]}
        yield f"delivery, {name}", document


_DELIVERIES: dict[str, dict[str, Any]] = {
    "did not": {
        "triggers": [
            {"did_not": {"campaign": "s", "interaction": "email_other_open", "within": "7d"}},
            {"did_not": {"interaction": "conversion", "conversion_event": "A", "within": "7d"}},
        ]
    },
    "on next": {
        "triggers": [{"event": "e"}],
        "delay": {"on_next": "tuesday", "at": "09:00"},
        "quiet_hours": "ignore",
        "window": {"end": "2030-12-31T00:00:00Z"},
    },
    "in days": {
        "triggers": [{"event": "e"}],
        "delay": {"in_days": 0, "at": "10:30"},
        "window": {"start": "2026-11-01T00:00:00+02:00", "end": "2030-11-01T00:00:00Z"},
    },
    "exceptions without a wait": {
        "triggers": [{"event": "e"}],
        "delay": "immediately",
        "exceptions": [{"purchase": {"product_id": "7"}}],
    },
    "once": {"type": "scheduled", "schedule": {"at": "2030-12-01T09:00:00", "local": True}},
    "once in UTC": {"type": "scheduled", "schedule": {"at": "2030-12-01T09:00:00.5Z"}},
    "once elsewhere": {"type": "scheduled", "schedule": {"at": "2030-12-01T09:00:00-03:00"}},
    "daily": {"type": "scheduled", "schedule": {"cron": "5 9 * * *"}},
    "weekly": {
        "type": "scheduled",
        "schedule": {"cron": "0 9 * * MON,wed,7", "time_zone": "Europe/Paris"},
    },
    "monthly": {"type": "scheduled", "schedule": {"cron": "00 09 L * *", "local": True}},
    "cron": {"type": "scheduled", "schedule": {"cron": "*/15 8-18 * 1,6 1-5"}},
    "api": {"type": "api", "delay": {"after": "2w"}, "exceptions": [{"event": "e"}]},
}

_ALL = list(_documents())


@pytest.mark.parametrize(("name", "document"), _ALL, ids=[name for name, _ in _ALL])
def test_a_document_comes_out_of_every_form_as_it_went_in(
    name: str, document: dict[str, Any], server: SegueServer, team: Team
) -> None:
    author = team["author"]
    raw = copy.deepcopy(document)
    raw["slug"] = re.sub(r"[^a-z0-9]+", "-", f"t-{name.lower()}").strip("-")[:80]
    made = server.api.post("/api/v1/campaigns", json=_jsonable(raw))
    assert made.status_code == 201, made.text
    begun = author.post("/compose", {"begin": "edit", "campaign": raw["slug"]})
    base = begun.headers["location"].rsplit("/", 1)[0]
    for step in _STEPS:
        path = f"{base}/{step}"
        form = form_of(author.page(path), path)
        answer = author.send(path, [*form, ("go", "save")])
        assert answer.status_code == 303, answer.text
    kept_at = author.post(f"{base}/keep").headers["location"]
    review = author.page(f"{base}/review") if kept_at.endswith("/review") else ""
    assert not review, to_mend(review)
    assert kept_at in ("/compose", f"/campaigns/{raw['slug']}"), kept_at
    kept = server.api.get(f"/api/v1/campaigns/{raw['slug']}").json()["document"]
    before = decode_document(_jsonable(raw), Campaign)
    assert plain(decode_document(kept, Campaign)) == plain(before)
    assert decode_document(kept, Campaign) == before


def to_mend(review: str) -> list[str]:
    """Return what a review lists."""
    return [one.text() for one in LexborHTMLParser(review).css(".summary li")]


def _jsonable(value: Any) -> Any:
    """Return what YAML read, with its instants as text."""
    if isinstance(value, dict):
        return {name: _jsonable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_jsonable(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
