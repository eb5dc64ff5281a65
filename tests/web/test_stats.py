"""A campaign's numbers over HTTP, of mails that a real server took and of what people did then."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from tests.support.servers import SegueServer, eventually, mail_server

from segue.engine.bucketing import is_in_control
from segue.services.stats import Stats

pytestmark = pytest.mark.slow

STATS = "/api/v1/campaigns/sale/stats"
WAITING = "/api/v1/campaigns/sale/waiting"
CONTROL_PERCENT = 20
USERS = [f"user-{number}" for number in range(25)]
CONTROL = [user for user in USERS if is_in_control("sale", user, CONTROL_PERCENT)]
TREATED = [user for user in USERS if user not in CONTROL]
SALE = {
    "slug": "sale",
    "name": "Sale",
    "delivery": {"triggers": [{"event": "sale_started"}]},
    "messages": [{"email": {"from": "shop@shop.test", "subject": "Sale", "text": "Now!"}}],
    "control_percent": CONTROL_PERCENT,
    "conversions": [{"purchase": {}, "within": "1d"}],
}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    """Give a server whose campaign was sent, opened, clicked and bought from."""
    with mail_server() as (_, url):
        data = tmp_path_factory.mktemp("stats") / "data"
        with SegueServer(data, SEGUE_CHANNELS__EMAIL__SMTP_URL=url) as server:
            live_through_the_sale(server)
            yield server


def live_through_the_sale(server: SegueServer) -> None:
    server.create(SALE)
    server.publish("sale")
    for user in USERS:
        server.user(user, email=f"{user}@people.test")
        server.event(user, "sale_started")
    eventually(
        lambda: server.api.get(STATS).json()["totals"].get("sent") == len(TREATED), "the mails"
    )
    opener, clicker, returned = TREATED[:3]
    server.event(opener, "email_open", campaign="sale")
    server.event(opener, "email_open", campaign="sale")
    server.event(opener, "email_open", campaign="sale", machine=True)
    server.event(clicker, "email_open", campaign="sale")
    server.event(clicker, "email_click", campaign="sale", alias="cta")
    server.event(clicker, "email_click", campaign="sale", alias="cta")
    server.event(returned, "email_bounce", campaign="sale")
    bought = {"product_id": "sku-1", "price": 2.5, "currency": "EUR", "quantity": 2}
    for buyer in (clicker, CONTROL[0]):
        server.event(buyer, "purchase", **bought)
    eventually(
        lambda: server.api.get(STATS).json()["totals"].get("conversions") == 2, "the conversions"
    )


def numbers(segue: SegueServer, **asked: str) -> dict[str, Any]:
    answer = segue.api.get(STATS, params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def faults(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [one["path"] for one in answer.json()["errors"]]


def test_totals_are_of_the_mails_and_of_what_people_did(segue: SegueServer) -> None:
    assert numbers(segue)["totals"] == {
        "entered": len(TREATED),
        "control": len(CONTROL),
        "unique_control": len(CONTROL),
        "recipients": len(TREATED),
        "received": len(TREATED),
        "unique_received": len(TREATED),
        "sent": len(TREATED),
        "bounced": 1,
        "unique_bounced": 1,
        "opens": 3,
        "unique_opens": 2,
        "machine_opens": 1,
        "unique_machine_opens": 1,
        "clicks": 2,
        "unique_clicks": 1,
        "alias_clicks": 2,
        "unique_alias_clicks": 1,
        "conversions": 2,
        "unique_conversions": 2,
    }


def test_rates_come_with_what_was_divided(segue: SegueServer) -> None:
    rates = {one["rate"]: one for one in numbers(segue, variant="A")["rates"]}
    delivered = len(TREATED) - 1
    assert rates["open_rate"] == {
        "rate": "open_rate",
        "numerator": 2,
        "denominator": delivered,
        "denominator_is": "sent_minus_bounced",
        "value": 2 / delivered,
        "variant": "A",
        "channel": "email",
    }
    assert rates["conversion_rate"]["value"] == 1 / len(TREATED)


def test_details_and_revenue_are_told_apart(segue: SegueServer) -> None:
    found = numbers(segue)
    assert {"metric": "alias_clicks", "detail": "cta", "variant": "A", "channel": "email"} in [
        {name: value for name, value in one.items() if name != "value"} for one in found["details"]
    ]
    of = {"conversion_event": "A", "currency": "EUR", "value": 5.0}
    assert found["revenue"] == [{"variant": "A", **of}, {"variant": "control", **of}]


def test_so_few_users_are_said_to_be_not_enough_data(segue: SegueServer) -> None:
    [compared] = numbers(segue)["uplift"]
    assert compared["conversion_event"] == "A"
    counts = [(arm["variant"], arm["users"], arm["conversions"]) for arm in compared["arms"]]
    assert counts == [("A", len(TREATED), 1), ("control", len(CONTROL), 1)]
    [comparison] = compared["comparisons"]
    assert comparison["outcome"] == "not_enough_data"
    assert comparison["sentence"].startswith(f"Not enough data: variant A has {len(TREATED)} users")
    assert "p_value" not in comparison


def test_the_series_adds_up_to_the_totals_by_hour_and_by_day_of_any_zone(
    segue: SegueServer,
) -> None:
    for by in ("hour", "day"):
        for zone in ("UTC", "Asia/Kathmandu", "Pacific/Auckland"):
            found = numbers(segue, by=by, time_zone=zone)
            assert found["time_zone"] == zone
            assert sum(point["totals"]["sent"] for point in found["series"]) == len(TREATED)
            assert all(("day" in point) == (by == "day") for point in found["series"])


def test_one_variant_and_a_period_narrow_the_numbers(segue: SegueServer) -> None:
    control = numbers(segue, variant="control")["totals"]
    assert control == {
        "control": len(CONTROL),
        "unique_control": len(CONTROL),
        "conversions": 1,
        "unique_conversions": 1,
    }
    past = numbers(segue, to="2020-01-01")
    assert (past["totals"], past["to"]) == ({}, "2020-01-01T00:00:00Z")
    assert numbers(segue, **{"from": "2020-01-01"})["totals"]["sent"] == len(TREATED)


def test_what_cannot_be_asked_is_refused_with_its_name(segue: SegueServer) -> None:
    get = segue.api.get
    assert faults(get(STATS, params={"from": "soon", "to": "later"})) == ["from", "to"]
    assert faults(get(STATS, params={"time_zone": "Paris"})) == ["time_zone"]
    assert faults(get(STATS, params={"variant": "B"})) == ["variant"]
    assert get(STATS, params={"by": "week"}).status_code == 400
    assert get("/api/v1/campaigns/none/stats").status_code == 404


def test_the_numbers_are_the_same_after_a_kill(segue: SegueServer) -> None:
    before = numbers(segue)
    segue.kill()
    segue.start()
    assert numbers(segue) == before
    assert segue.api.get(WAITING).json() == {"count": 0, "data": []}


def test_the_answer_is_described_as_it_is(segue: SegueServer) -> None:
    schema = segue.api.get("/schema").json()
    operation = schema["paths"]["/api/v1/campaigns/{campaign}/stats"]["get"]
    names = {one["name"] for one in operation["parameters"]}
    assert names == {"campaign", "from", "to", "by", "time_zone", "variant"}
    described = operation["responses"]["200"]["content"]["application/json"]["schema"]
    stats = schema["components"]["schemas"][described["$ref"].rsplit("/", 1)[-1]]
    fields = {field.encode_name for field in msgspec.structs.fields(Stats)}
    assert set(stats["properties"]) == fields == set(numbers(segue))
