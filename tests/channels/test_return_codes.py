"""Codes in the address that emails bounce to."""

import pytest
from msgspec.structs import replace

from segue.channels.coded import CodedSenders
from segue.channels.return_codes import NamedReturns, ReturnCodes
from segue.channels.sender import Accepted
from segue.clock import FixedClock
from segue.content.codes import CodeMaker
from segue.content.tokens import TokenSigner, Tracked
from segue.errors import SegueError
from segue.model.instants import DAY
from segue.model.limits import RETURN_CODE_LIFE
from segue.model.rendered import RenderedEmail, RenderedSms
from segue.storage.memory_codes import MemoryCodes
from tests.support.mailbox import KeptMessages

SIGNER = TokenSigner(b"k" * 32)
MAKER = CodeMaker(b"c" * 32)
SENT = Tracked("report", "ann", "sale", "A", "snd_1", "email", reported=("open",))
MAIL = RenderedEmail(
    "snd_1",
    "ann",
    "sale",
    "ann@people.test",
    "hi@shop.test",
    "Sale",
    headers={"Message-ID": f"<{SIGNER.sign(SENT)}@shop.test>"},
)


class World:
    def __init__(self) -> None:
        self.clock = FixedClock(100 * DAY)
        self.stored = MemoryCodes()
        self.mailbox = KeptMessages(self.clock)
        self.codes = ReturnCodes(SIGNER, self.stored, MAKER, self.clock)
        coded = CodedSenders(self.mailbox, self.stored, MAKER, self.clock)
        self.sends = NamedReturns(coded, self.codes)

    async def send(self, mail: RenderedEmail = MAIL) -> RenderedEmail:
        assert isinstance(await self.sends.send(mail), Accepted)
        handed_over = self.mailbox.delivered[-1].message
        assert isinstance(handed_over, RenderedEmail)
        return handed_over


async def test_a_mail_goes_out_with_a_code_that_stands_for_its_token() -> None:
    world = World()
    code = (await world.send()).return_code
    assert world.codes.find(code) == SENT
    await world.sends.close()


async def test_the_same_mail_again_has_the_same_code_and_another_has_another() -> None:
    world = World()
    first, again = await world.send(), await world.send()
    other = replace(SENT, send_id="snd_2")
    another = replace(MAIL, headers={"Message-ID": f"<{SIGNER.sign(other)}@shop.test>"})
    assert first.return_code == again.return_code
    code = (await world.send(another)).return_code
    assert code != first.return_code
    assert world.codes.find(code) == other


async def test_a_code_is_known_as_long_as_bounces_come() -> None:
    world = World()
    code = (await world.send()).return_code
    world.clock.advance(RETURN_CODE_LIFE - 1)
    assert world.codes.find(code) == SENT
    world.clock.advance(1)
    assert world.codes.find(code) is None


@pytest.mark.parametrize("code", ["", "abc", "x" * 17, "0" * 16, "2" * 16, "é" * 16, "\0" * 16])
async def test_what_is_no_code_stands_for_nothing(code: str) -> None:
    world = World()
    await world.send()
    assert world.codes.find(code) is None


@pytest.mark.parametrize("headers", [{}, {"Message-ID": "<other@shop.test>"}])
async def test_a_mail_that_names_no_message_goes_out_without_a_code(
    headers: dict[str, str],
) -> None:
    world = World()
    assert (await world.send(replace(MAIL, headers=headers))).return_code == ""


async def test_a_code_that_cannot_be_kept_keeps_no_mail_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def fail(*_: object) -> None:
        raise SegueError("the disk is full")

    monkeypatch.setattr(world.stored, "put", fail)
    assert (await world.send()).return_code == ""


async def test_messages_of_other_channels_pass_as_they_are() -> None:
    world = World()
    text = RenderedSms("snd_1", "ann", "sale", "+32470123456", "Hi")
    assert isinstance(await world.sends.send(text), Accepted)
    assert world.mailbox.delivered[-1].message == text
    assert world.sends.turn(text, 7) == 7
