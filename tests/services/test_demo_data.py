"""Demo data in an empty installation: campaigns for test users alone, and phones that ring."""

import pytest

from segue.errors import ConflictError
from segue.runtime.quiet import settle
from segue.services.demo_data import USERS, put_in_demo_data
from tests.support.rehearsing import LiveShop


async def test_it_comes_to_test_users_phones_and_to_nobody_else() -> None:
    shop = LiveShop()
    application = shop.application
    await application.start()
    await shop.user("customer", email="customer@people.test")
    assert await put_in_demo_data(application) == 6
    await application.user_acts.send_event("customer", "sale_started", {})
    await settle(application.runtime, shop.clock.now())
    for user_id in USERS:
        [message] = await application.phones.messages(user_id)
        assert message.campaign == "spring-sale"
    decided = application.runtime.outcomes.pending_verdicts()
    assert {one.reason for one in decided if one.user_id == "customer"} == {"not_in_audience"}
    with pytest.raises(ConflictError, match="already"):
        await put_in_demo_data(application)
    await application.stop()
