"""Reading what others say of our messages."""

import pytest

from segue.channels.receipts import is_address_dead, make_receipt, token_of
from segue.model.limits import RECEIPT_DETAIL_LENGTH_MAX, RECEIPT_LINK_LENGTH_MAX


@pytest.mark.parametrize(
    ("message_id", "token"),
    [
        ("<abc-_1@shop.test>", "abc-_1"),
        ("abc@shop.test", "abc"),
        (" <abc@shop.test>\r\n", "abc"),
        ("abc", ""),
        ("", ""),
        ("<>", ""),
        ("<@x>", ""),
    ],
)
def test_the_token_is_what_stands_before_the_domain(message_id: str, token: str) -> None:
    assert token_of(message_id) == token


@pytest.mark.parametrize(
    ("status", "is_dead"),
    [
        ("5.1.1", True),
        ("5.1.1 no such user", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.2.2", False),  # full
        ("5.2.3", False),  # too large for it
        ("5.1.8", False),  # the sender's address
        ("5.7.1", False),
        ("5.7.26", False),
        ("4.2.2", False),
        ("5.0.0", None),
        ("5.4.1", None),  # some say it of an address that is not there, some of a route
        ("550", None),
        ("", None),
        ("15.1.1", None),
    ],
)
def test_a_status_says_whether_the_address_is_dead(status: str, is_dead: bool | None) -> None:
    assert is_address_dead(status) is is_dead


def test_words_of_any_length_are_cut() -> None:
    receipt = make_receipt("email_bounce", "t", "r", detail=" no\r\n such " + "x" * 100_000)
    assert receipt.detail.startswith("no such xxx")
    assert len(receipt.detail) == RECEIPT_DETAIL_LENGTH_MAX


def test_a_link_longer_than_any_is_left_out() -> None:
    link = "https://shop.test/" + "x" * RECEIPT_LINK_LENGTH_MAX
    assert make_receipt("email_click", "t", "r", link=link).link is None
    assert make_receipt("email_click", "t", "r", link=link[:99]).link == link[:99]
