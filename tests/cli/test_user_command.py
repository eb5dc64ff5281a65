"""`segue user`: accounts from the terminal."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from segue.cli.main import segue
from segue.errors import SegueError
from segue.storage.open import open_journal


def run(data: Path, *words: str) -> str:
    result = CliRunner().invoke(segue, [*words, "--data", str(data)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_user_is_added_with_a_link_and_listed(tmp_path: Path) -> None:
    link = run(tmp_path, "user", "add", "Ann@shop.test", "--role", "publisher", "--name", "Ann")
    assert link.startswith("http://127.0.0.1:8000/link/")
    [line] = run(tmp_path, "user", "list").splitlines()
    assert line.split()[1:] == ["publisher", "invited", "ann@shop.test", "Ann"]
    [shown] = map(json.loads, run(tmp_path, "user", "list", "--json").splitlines())
    assert (shown["email"], shown["role"], shown["has_password"]) == (
        "ann@shop.test",
        "publisher",
        False,
    )
    assert link.strip().rpartition("/")[2] not in json.dumps(shown)


def test_a_link_leads_to_the_public_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_PUBLIC_URL", "https://segue.shop.test")
    link = run(tmp_path, "user", "add", "ann@shop.test", "--role", "admin")
    assert link.startswith("https://segue.shop.test/link/")


def test_what_commands_do_to_users_and_keys_is_written_down(tmp_path: Path) -> None:
    run(tmp_path, "user", "add", "ann@shop.test", "--role", "admin")
    key = run(tmp_path, "key", "create", "--scopes", "read", "--name", "shop").strip()
    journal = open_journal(tmp_path)
    key_id = journal.list_keys()[0].id
    journal.close()
    run(tmp_path, "key", "revoke", key_id)
    journal = open_journal(tmp_path)
    found = [(one.actor, one.action, one.target) for one in journal.audit.newest(10)]
    journal.close()
    assert found == [
        ("command", "revoke key", key_id),
        ("command", "create key", "shop"),
        ("command", "add user", "ann@shop.test"),
    ]
    assert key not in str(found)


def test_an_address_that_is_taken_and_a_role_that_is_none_are_refused(tmp_path: Path) -> None:
    run(tmp_path, "user", "add", "ann@shop.test", "--role", "admin")
    again = ["user", "add", "ANN@shop.test", "--role", "viewer", "--data", str(tmp_path)]
    result = CliRunner().invoke(segue, again)
    assert isinstance(result.exception, SegueError)
    assert "ann@shop.test" in str(result.exception)
    result = CliRunner().invoke(segue, ["user", "add", "bob@shop.test", "--role", "owner"])
    assert result.exit_code == 2
    assert "publisher" in result.output
