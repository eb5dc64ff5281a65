"""What a provider answered last is kept: the last success, the last failure, and numbers."""

from segue.channels.breaker import Breakers
from segue.channels.records import ProviderRecord, ProviderRecords
from segue.channels.registry import Senders
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import ChannelSettings, EmailSettings
from segue.clock import FixedClock
from segue.model.instants import SECOND
from segue.model.limits import BREAKER_FAILURES_MAX, BREAKER_PAUSE, PROVIDER_DETAIL_LENGTH_MAX
from segue.model.rendered import RenderedEmail
from tests.support.servers import mail_server

NOW = 1_700_000_000 * SECOND


def test_the_last_success_and_the_last_failure_are_kept_side_by_side() -> None:
    clock = FixedClock(NOW)
    records = ProviderRecords(clock)
    assert records.of("email") == ProviderRecord()
    records.note("email", Accepted("250 OK"))
    clock.advance(SECOND)
    records.note("email", Refused("550 no such user"))
    clock.advance(SECOND)
    records.note("email", Accepted("250 OK"))
    records.note("sms", Unknown("the connection broke"))
    assert records.of("email") == ProviderRecord(
        2, NOW + 2 * SECOND, 1, NOW + SECOND, "550 no such user", "refused"
    )
    assert records.of("sms") == ProviderRecord(
        0, None, 1, NOW + 2 * SECOND, "the connection broke", "unknown"
    )


def test_what_was_not_asked_of_the_provider_says_nothing_of_it() -> None:
    records = ProviderRecords(FixedClock(NOW))
    records.note("sms", TryLater("is left alone", was_asked=False))
    assert records.of("sms") == ProviderRecord()
    records.note("sms", TryLater("x" * 1_000))
    assert records.of("sms").failure == "x" * PROVIDER_DETAIL_LENGTH_MAX
    assert records.of("sms").failure_kind == "later"


async def test_senders_keep_a_record_of_each_channel() -> None:
    with mail_server() as (_, url):
        settings = ChannelSettings(email=EmailSettings(smtp_url=url))
        senders = Senders(settings, FixedClock(NOW), lambda _: b"s" * 32)
        await senders.send(RenderedEmail("s", "u", "c", "a@b.test", "hi@shop.test", "Hello"))
        await senders.close()
    assert senders.record_of("email").accepted_at == NOW
    assert senders.record_of("sms") == ProviderRecord()
    assert senders.resting("sms") == {}


async def test_breakers_tell_who_is_left_alone_and_for_how_long() -> None:
    clock = FixedClock(NOW)
    breakers = Breakers(clock)

    async def down() -> Answer:
        return TryLater("503", is_outage=True)

    for _ in range(BREAKER_FAILURES_MAX):
        assert breakers.resting() == {}
        await breakers.guard("push.test", down)
    assert breakers.resting() == {"push.test": BREAKER_PAUSE / SECOND}
    clock.advance(BREAKER_PAUSE)
    assert breakers.resting() == {}
