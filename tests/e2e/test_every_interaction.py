"""Each interaction happens for real, at the provider's or the device's side; its follower sends.

Nothing here writes an interaction into the log: mails are opened and links followed, apps report
over the device SDK's routes, providers answer. What follows is a webhook that a server receives.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import Struct, field
from tests.channels.fake_provider import serving
from tests.channels.fake_push import FakeFcm
from tests.channels.test_sms import FakeTwilio
from tests.support.background import served_in_background
from tests.support.receiver import Receiver, webhook_receiver
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

from segue.clock import SystemClock
from segue.engine.bucketing import is_in_control
from segue.model.interactions import INTERACTIONS

pytestmark = pytest.mark.slow

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
SCANNER = {"User-Agent": "GoogleImageProxy"}
CONTROL_PERCENT = 50


class World:
    """A server of ours, and everything around it that messages go to."""

    def __init__(
        self, segue: SegueServer, mails: Mailbox, receiver: Receiver, fcm: FakeFcm, sms: FakeTwilio
    ) -> None:
        self.segue = segue
        self.mails = mails
        self.receiver = receiver
        self.fcm = fcm
        self.sms = sms
        key = segue.key_for("sdk")
        headers = {"Authorization": f"Bearer {key}"}
        self.device = httpx2.Client(base_url=f"{segue.url}/sdk/v1/", headers=headers, timeout=30)

    def starts(self, documents: Iterable[dict[str, Any]]) -> None:
        """Publish campaigns in this order, followers first."""
        documents = list(documents)
        for document in documents:
            self.segue.create(document)
        for document in documents:
            self.segue.publish(document["slug"])

    def received(self, path: str) -> list[Any]:
        """Return the bodies of the webhooks that came for a path."""
        return [json.loads(body) for at, _, body in self.receiver.requests if at == f"/hook/{path}"]


class Person:
    """A user of the world, and what they do with the messages of one campaign."""

    def __init__(self, world: World, user_id: str, number: int) -> None:
        self.world = world
        self.user_id = user_id
        self.phone = f"+3247012{number:04}"
        self.token = f"token-{user_id}"
        self.report_count = 0

    def signs_up(self) -> None:
        segue, user_id = self.world.segue, self.user_id
        segue.user(user_id, email=f"{user_id}@people.test", phone=self.phone)
        device = {"id": "phone", "platform": "android", "token": self.token}
        body = {"user_id": user_id, "device": device}
        assert self.world.device.post("push-token", json=body).status_code == 204

    def does(self, name: str, **properties: Any) -> None:
        self.world.segue.event(self.user_id, name, properties=properties)

    def mail(self) -> str:
        """Return the HTML of the mail that came."""
        address = f"{self.user_id}@people.test"
        mail = eventually(lambda: self.world.mails.to(address), "the mail")[0]
        return str(mail.get_body(("html",)).get_content())

    def loads_the_pixel(self, agent: dict[str, str]) -> None:
        pixel = re.search(r'src="([^"]+/t/o/[^"]+)"', self.mail())
        assert pixel is not None
        assert httpx2.get(pixel[1], headers=agent).headers["content-type"] == "image/gif"

    def follows_the_link(self) -> None:
        link = re.search(r'href="([^"]+/t/c/[^"]+)"', self.mail())
        assert link is not None
        self._is_led_on(link[1])

    def follows_the_short_link(self) -> None:
        def texts() -> list[str]:
            return [one["Body"][0] for one in self.world.sms.sent if one["To"] == [self.phone]]

        text = eventually(texts, "the text message")[0]
        link = re.search(r"http\S+/s/\w+", text)
        assert link is not None
        self._is_led_on(link[0])

    def presses_the_push(self, **report: str) -> None:
        def shown() -> list[Any]:
            found = self.world.fcm.shown.items()
            return [message for (token, _), message in found if token == self.token]

        push = json.loads(eventually(shown, "the push")[0]["data"]["segue"])
        self._report({"channel": "push", "send_id": push["send_id"], **report})

    def sees(self, route: str, *reports: dict[str, str]) -> None:
        """Fetch what is due from a route of the device SDK, and report what is done with it."""
        name = route.replace("-", "_")

        def due() -> list[Any]:
            answer = self.world.device.get(route, params={"user_id": self.user_id})
            return list(answer.json()[name])

        message = eventually(due, "what is due")[0]
        for report in reports:
            given = {"channel": name.removesuffix("s"), "send_id": message["send_id"]}
            self._report(given | report)

    def _is_led_on(self, link: str) -> None:
        answer = httpx2.get(link, headers=PERSON, follow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["location"] == "https://shop.test/sale?a=1"

    def _report(self, report: dict[str, str]) -> None:
        self.report_count += 1
        interaction = {"id": f"{self.user_id}-{self.report_count}", **report}
        body = {"user_id": self.user_id, "interactions": [interaction]}
        answer = self.world.device.post("interactions", json=body)
        assert answer.status_code == 202
        assert answer.json()["accepted"] == 1, answer.text


def nothing(_person: Person) -> None:
    """Receiving is all it takes."""


class Play(Struct):
    """How an interaction comes about: what is sent, and what its user does with it.

    An act that is done `until_sent` is repeated: an open within two seconds of the hand-over is a
    scanner's, so that a person's counts a little later.
    """

    message: dict[str, Any]
    act: Callable[[Person], None] = nothing
    options: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    delivery: dict[str, Any] = field(default_factory=dict)
    until_sent: bool = False
    is_control: bool = False


LINK = '<p><a href="https://shop.test/sale?a=1" data-alias="{}">See</a></p>'
MAIL = {"email": {"subject": "Sale", "html": LINK.format("cta")}}
TEXT = {"sms": {"body": "Look: https://shop.test/sale?a=1"}}
BUTTONS = {"push": {"title": "Sale", "buttons": [{"id": "claim", "text": "Claim"}]}}
PAGES = [{"id": "shoes", "image_url": "https://shop.test/shoes.png"}]
STORY = {"push": {"title": "Sale", "pages": PAGES}}
IN_APP = {"in_app_message": {"body": "Sale", "buttons": [{"id": "yes", "text": "Yes"}]}}
CARD = {"content_card": {"title": "Sale", "link": "https://shop.test"}}
VIEW = {"type": "view"}

PLAYS: dict[str, Play] = {
    "in_app_message_view": Play(IN_APP, lambda ann: ann.sees("in-app-messages", VIEW)),
    "in_app_message_click": Play(
        IN_APP,
        lambda ann: ann.sees("in-app-messages", VIEW, {"type": "click"}),
        {"body_only": True},
    ),
    "in_app_message_button_click": Play(
        IN_APP,
        lambda ann: ann.sees("in-app-messages", VIEW, {"type": "click", "button": "yes"}),
        {"button": "yes"},
    ),
    "email_click": Play(MAIL, Person.follows_the_link),
    "email_alias_click": Play(MAIL, Person.follows_the_link, {"alias": "cta"}),
    "email_open": Play(MAIL, lambda ann: ann.loads_the_pixel(PERSON)),
    "email_machine_open": Play(MAIL, lambda ann: ann.loads_the_pixel(SCANNER)),
    "email_other_open": Play(MAIL, lambda ann: ann.loads_the_pixel(PERSON), until_sent=True),
    "push_direct_open": Play(BUTTONS, lambda ann: ann.presses_the_push(type="open")),
    "push_button_click": Play(
        BUTTONS,
        lambda ann: ann.presses_the_push(type="click", button="claim"),
        {"button": "claim"},
    ),
    "push_story_page_click": Play(
        STORY, lambda ann: ann.presses_the_push(type="click", page="shoes"), {"page": "shoes"}
    ),
    "conversion": Play(
        MAIL,
        lambda ann: (ann.mail(), ann.does("bought"))[1],
        {"conversion_event": "A"},
        source={"conversions": [{"event": {"name": "bought"}, "within": "3d"}]},
    ),
    "email_receive": Play(MAIL),
    "sms_receive": Play(TEXT),
    "push_receive": Play(BUTTONS),
    "webhook_receive": Play({"webhook": {"url": "", "body": {"to": "{{ user_id }}"}}}),
    "sms_short_link_click": Play(TEXT, Person.follows_the_short_link),
    "control_group_enroll": Play(
        MAIL, source={"control_percent": CONTROL_PERCENT}, is_control=True
    ),
    "content_card_view": Play(CARD, lambda ann: ann.sees("content-cards", VIEW)),
    "content_card_click": Play(
        CARD, lambda ann: ann.sees("content-cards", VIEW, {"type": "click"})
    ),
    "content_card_dismiss": Play(
        CARD, lambda ann: ann.sees("content-cards", VIEW, {"type": "dismiss"})
    ),
    "alias_click": Play(
        {"email": {"subject": "Sale", "html": LINK.format("only-here")}},
        Person.follows_the_link,
        {"alias": "only-here"},
    ),
    "exception_event": Play(
        MAIL,
        lambda ann: ann.does("bought"),
        delivery={"delay": {"after": "1d"}, "exceptions": [{"event": "bought"}]},
    ),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    fcm, sms = FakeFcm(SystemClock()), FakeTwilio()
    with (
        mail_server() as (mails, smtp_url),
        webhook_receiver() as receiver,
        served_in_background(serving(fcm, folder), serving(sms)),
    ):
        (folder / "account.json").write_bytes(fcm.account())
        settings = {
            "SSL_CERT_FILE": str(folder / "certificate.pem"),
            "SEGUE_CHANNELS__EMAIL__SMTP_URL": smtp_url,
            "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
            "SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]',
            "SEGUE_CHANNELS__PUSH__FCM__SERVICE_ACCOUNT_FILE": str(folder / "account.json"),
            "SEGUE_CHANNELS__PUSH__FCM__URL": fcm.url,
            **sms.settings(),
        }
        with SegueServer(folder / "data", **settings) as segue:
            made = World(segue, mails, receiver, fcm, sms)
            yield made
            made.device.close()


def test_there_is_a_play_for_every_interaction() -> None:
    assert set(PLAYS) == set(INTERACTIONS)


@pytest.mark.parametrize("name", PLAYS)
def test_what_a_person_or_a_provider_really_did_starts_the_follower(
    world: World, name: str
) -> None:
    play, slug = PLAYS[name], f"{name}-source".replace("_", "-")
    follower = f"{name}-follower".replace("_", "-")
    campaign = {} if name == "alias_click" else {"campaign": slug}
    trigger = {"interaction": name, **campaign, **play.options}
    body = {"user": "{{ user_id }}", "did": "{{ trigger.interaction }}"}
    follows = {"url": f"{world.receiver.url}/{follower}", "body": body}
    message = play.message
    if "webhook" in message:
        message = {"webhook": message["webhook"] | {"url": f"{world.receiver.url}/{slug}"}}
    documents = [
        {
            "slug": follower,
            "name": follower,
            "delivery": {"triggers": [{"interact_with_campaign": trigger}]},
            "messages": [{"webhook": follows}],
        },
        {
            "slug": slug,
            "name": slug,
            "delivery": {"triggers": [{"event": f"go-{slug}"}], **play.delivery},
            "messages": [message],
            **play.source,
        },
    ]
    world.starts(documents)
    ann = Person(world, user_of(play, name, slug), list(PLAYS).index(name))
    ann.signs_up()
    ann.does(f"go-{slug}")
    if play.act is not nothing:
        assert world.segue.decisions(ann.user_id, follower) == []
        play.act(ann)

    def came() -> list[Any]:
        found = world.received(follower)
        if not found and play.until_sent:
            play.act(ann)
        return found

    act = INTERACTIONS[name].act
    assert eventually(came, f"what follows {name}") == [{"user": ann.user_id, "did": act}]
    decided = world.segue.decisions(ann.user_id, follower)
    assert decided[:2] == [("enter", None), ("send", None)]
    assert all(decision == "refuse" for decision, _ in decided[2:])
    if play.is_control:
        assert world.mails.to(f"{ann.user_id}@people.test") == []


def test_not_opening_in_time_starts_the_follower(world: World) -> None:
    did_not = {"campaign": "unopened", "interaction": "email_other_open", "within": "1s"}
    url = f"{world.receiver.url}/resent"
    again = {"webhook": {"url": url, "body": {"user": "{{ user_id }}"}}}
    sources = [
        ("resend", {"did_not": did_not}, again),
        ("unopened", {"event": "go-unopened"}, MAIL),
    ]
    world.starts(
        {"slug": slug, "name": slug, "delivery": {"triggers": [trigger]}, "messages": [message]}
        for slug, trigger, message in sources
    )
    ann = Person(world, "ann-unopened", len(PLAYS))
    ann.signs_up()
    ann.does("go-unopened")
    assert eventually(lambda: world.received("resent"), "the resend") == [{"user": "ann-unopened"}]


def user_of(play: Play, name: str, slug: str) -> str:
    """Return a user who falls in the control group, or who does not."""
    ids = (f"ann-{name}-{number}" for number in range(100))
    return next(one for one in ids if is_in_control(slug, one, CONTROL_PERCENT) == play.is_control)
