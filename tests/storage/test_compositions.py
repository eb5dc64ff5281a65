"""Campaigns that are being written: what both stores promise."""

from typing import Any

from msgspec.structs import replace

from segue.storage.composition_ports import CompositionHead, StoredComposition
from segue.storage.ports import Journal


def composition(name: str, at: int = 1, **more: Any) -> StoredComposition:
    tree = {"name": name, "delivery": {"triggers": [{"event": None}]}}
    return StoredComposition(
        id=f"id-{name}",
        name=name,
        created_at=at,
        changed_at=at,
        changed_by="Ann",
        tree=tree,
        **more,
    )


def test_what_is_being_written_comes_back_as_it_was_saved(journal: Journal) -> None:
    sale = composition(
        "sale",
        campaign="c1",
        base_version=3,
        base_updated_at=7,
        is_slug_own=True,
        visited=("message", "delivery"),
    )
    journal.compositions.save(sale, 10)
    assert journal.compositions.find("id-sale") == sale
    assert journal.compositions.find("id-none") is None


def test_the_list_says_what_was_changed_last_first_and_leaves_the_trees_out(
    journal: Journal,
) -> None:
    journal.compositions.save(composition("old", 1), 10)
    journal.compositions.save(composition("new", 2), 10)
    listed = journal.compositions.all()
    assert [one.name for one in listed] == ["new", "old"]
    assert {type(one) for one in listed} == {CompositionHead}


def test_what_is_saved_again_is_replaced_and_keeps_when_it_was_begun(journal: Journal) -> None:
    journal.compositions.save(composition("sale", 1), 10)
    changed = replace(composition("sale", 5), tree={"name": "other"}, name="other")
    journal.compositions.save(changed, 10)
    assert journal.compositions.find("id-sale") == replace(changed, created_at=1)


def test_of_too_many_those_that_were_left_longest_go(journal: Journal) -> None:
    for number in range(4):
        journal.compositions.save(composition(f"n{number}", number), 3)
    journal.compositions.save(replace(composition("n1", 1), changed_at=9), 3)
    journal.compositions.save(composition("n5", 10), 3)
    assert [one.name for one in journal.compositions.all()] == ["n5", "n1", "n3"]


def test_what_is_deleted_is_gone_and_deleting_it_again_does_nothing(journal: Journal) -> None:
    journal.compositions.save(composition("sale"), 10)
    journal.compositions.delete("id-sale")
    journal.compositions.delete("id-sale")
    assert journal.compositions.all() == []


def test_a_tree_that_is_changed_after_it_was_saved_stays_as_it_was(journal: Journal) -> None:
    sale = composition("sale")
    journal.compositions.save(sale, 10)
    sale.tree["name"] = "changed"
    found = journal.compositions.find("id-sale")
    assert found is not None
    assert found.tree["name"] == "sale"
