"""What is being written: problems of what is not whole, names, conflicts, and finishing it."""

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import ConflictError, NotAllowedError, NotFoundError
from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.model.limits import COMPOSITION_BYTES_MAX
from segue.model.problems import InvalidError
from segue.services.campaign_sentences import sentence_text
from segue.services.composition_sketch import sketch_of
from segue.services.composition_trees import RECIPES, free_slug
from segue.services.compositions import Composition, Compositions, OvertakenError
from tests.support.desk import HTML, Desk
from tests.support.documents import campaign


class Writer(Desk):
    """A desk at which campaigns are written."""

    async def open(self) -> None:
        await super().open()
        self.compositions = Compositions(self.live.runtime, self.campaigns)

    def write(self, composition: Composition, **parts: Any) -> Composition:
        return self.compositions.save(composition, {**composition.tree, **parts}, "Ann")

    def paths(self, composition: Composition) -> list[str]:
        return [one.path for one in self.compositions.problems(composition).faults]

    def sentence(self, composition: Composition) -> str:
        return sentence_text(self.compositions.sentence(composition))


@pytest_asyncio.fixture
async def writer() -> AsyncIterator[Writer]:
    writer = Writer()
    await writer.open()
    yield writer
    await writer.live.stop()


async def test_a_blank_campaign_says_at_once_everything_that_is_missing(writer: Writer) -> None:
    blank = writer.compositions.begin("Ann")
    assert {"name", "slug", "messages[0].email.subject"} <= set(writer.paths(blank))
    named = writer.write(blank, name="Hello")
    assert named.tree["slug"] == "hello"
    assert "name" not in writer.paths(named)


async def test_meaning_is_checked_where_the_shape_of_another_step_is_not_whole(
    writer: Writer,
) -> None:
    blank = writer.write(writer.compositions.begin("Ann"), name="")
    wrong = writer.write(blank, re_eligibility={"after": "9999d"}, slug="any")
    assert "re_eligibility.after" in writer.paths(wrong)
    assert "slug" in writer.paths(wrong)


async def test_references_that_lead_nowhere_only_stand_in_the_way_of_publishing(
    writer: Writer,
) -> None:
    tree = campaign("follower", messages=HTML)
    written = writer.write(writer.compositions.begin("Ann"), **tree)
    found = writer.compositions.problems(written)
    assert found.faults == []
    assert next(one.path for one in found.blocking).endswith("interact_with_campaign.campaign")
    kept = await writer.compositions.finish(written, may_publish=False)
    assert (kept.status, kept.slug) == ("draft", "follower")
    with pytest.raises(NotFoundError, match="finished or discarded"):
        writer.compositions.find(written.id)


async def test_a_slug_is_free_and_comes_from_the_name(writer: Writer) -> None:
    writer.draft("sale")
    blank = writer.compositions.begin("Ann")
    assert writer.write(blank, name="Sale").tree["slug"] == "sale-2"
    assert free_slug("  Été à Paris! ", ()) == "ete-a-paris"
    assert free_slug("セール", ()) == "campaign"
    assert free_slug("", ()) == ""
    assert free_slug("x" * 200, {"x" * 100}) == "x" * 90 + "-2"


async def test_what_takes_too_many_bytes_is_refused_and_what_was_kept_stays(
    writer: Writer,
) -> None:
    blank = writer.write(writer.compositions.begin("Ann"), name="Kept")
    with pytest.raises(InvalidError, match="bytes"):
        writer.write(blank, description="x" * COMPOSITION_BYTES_MAX)
    assert writer.compositions.find(blank.id) == blank


async def test_an_edit_of_a_draft_that_somebody_changed_is_not_finished(writer: Writer) -> None:
    writer.draft("sale")
    mine = writer.write(writer.compositions.begin_edit("sale", "Ann"), name="Mine")
    await writer.live.move_to(writer.live.clock.now() + 1_000_000)
    changed = copy.deepcopy(mine.tree) | {"name": "Theirs"}
    await writer.campaigns.update("sale", changed)
    with pytest.raises(OvertakenError, match="changed the campaign while you were editing it"):
        await writer.compositions.finish(mine, may_publish=True)
    parted = writer.compositions.part(mine, "Ann")
    kept = await writer.compositions.finish(parted, may_publish=False)
    assert (kept.slug, kept.document.name) == ("sale-2", "Mine")
    assert writer.campaigns.find("sale").document.name == "Theirs"


async def test_an_edit_of_a_campaign_that_was_deleted_can_be_kept_as_another(
    writer: Writer,
) -> None:
    writer.draft("sale")
    mine = writer.compositions.begin_edit("sale", "Ann")
    await writer.campaigns.delete("sale")
    with pytest.raises(OvertakenError, match="deleted"):
        await writer.compositions.finish(mine, may_publish=True)
    kept = await writer.compositions.finish(
        writer.compositions.part(mine, "Ann"), may_publish=False
    )
    assert kept.slug == "sale"


async def test_a_change_at_the_last_moment_is_not_written_over(writer: Writer) -> None:
    writer.draft("sale")
    base = writer.campaigns.find("sale")
    with pytest.raises(ConflictError, match="somebody else"):
        await writer.campaigns.update("sale", campaign("sale"), unchanged_since=base.updated_at - 1)


async def test_an_active_campaign_is_changed_only_by_who_may_publish(writer: Writer) -> None:
    writer.draft("sale")
    await writer.publish("sale")
    edit = writer.write(writer.compositions.begin_edit("sale", "Ann"), name="Better")
    with pytest.raises(NotAllowedError):
        await writer.compositions.finish(edit, may_publish=False)
    changed = await writer.compositions.finish(edit, may_publish=True)
    assert (changed.version, changed.document.name) == (2, "Better")


async def test_the_slug_of_a_published_campaign_stays(writer: Writer) -> None:
    writer.draft("sale")
    await writer.publish("sale")
    edit = writer.write(writer.compositions.begin_edit("sale", "Ann"), slug="other")
    assert writer.paths(edit) == ["slug"]


async def test_every_recipe_is_whole_but_for_its_message(writer: Writer) -> None:
    writer.draft("sale")
    for recipe in RECIPES:
        begun = writer.compositions.begin_recipe(recipe, "Ann", "sale" if recipe.follows else "")
        paths = writer.paths(begun)
        assert [one for one in paths if not one.startswith("messages")] == [], recipe.key
        assert "unless the user" in writer.sentence(begun)


async def test_the_sentence_of_a_follower_names_what_it_follows(writer: Writer) -> None:
    writer.draft("sale", name="Spring sale")
    begun = writer.compositions.begin_follower("sale", "email_click", "Ann")
    assert "clicks a link in “Spring sale”" in writer.sentence(begun)


# Sketches: whatever is in a tree, something can be told of it

_LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "7d", "x", "{{"])
_NAMES = st.sampled_from(
    ["event", "purchase", "where", "property", "gte", "after", "campaign", "interaction", "email"]
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*Campaign.__struct_encode_fields__, "delivery.triggers", "nonsense"]),
        _TREES,
        max_size=5,
    )
)
def test_a_sketch_is_whole_whatever_a_tree_holds(tree: dict[str, Any]) -> None:
    before = copy.deepcopy(tree)
    assert isinstance(sketch_of(tree), Campaign)
    assert tree == before


@given(_TREES)
def test_a_sketch_keeps_what_is_whole_around_what_is_not(spoilt: Any) -> None:
    tree = campaign("follower") | {"conversions": [{"purchase": spoilt, "within": "3d"}]}
    sketch = sketch_of(tree)
    whole = decode_document(campaign("follower"), Campaign)
    assert sketch.delivery == whole.delivery
    assert sketch.messages == whole.messages
