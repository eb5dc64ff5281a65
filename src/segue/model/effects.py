"""What the engine asks to be done about a decision; carried out outside, once."""

from msgspec import Struct, field

from segue.model.channels import Channel
from segue.model.devices import DevicesTried
from segue.model.metrics import MetricName
from segue.model.state import TriggerContext


class Deliver(Struct, frozen=True, gc=False, array_like=True):
    """Hand the messages of one send over, one per channel, under an id that follows its cause.

    Content is the campaign's newest at the moment of hand-over; the variant is fixed.
    Campaigns go by their slugs here and below. A send that is retried comes once more, with the
    channel that failed; `accepted` are the send's channels that did not, and `tried` the devices
    that need not get its push again.
    """

    send_id: str
    user_id: str
    campaign: str
    variant: str
    channels: list[Channel]
    decided_at: int
    trigger: TriggerContext
    hops: int = 0
    tried: DevicesTried = DevicesTried()
    accepted: list[Channel] = field(default_factory=list)


class SetTimer(Struct, frozen=True, gc=False):
    """Wake this user at `due_at` for the campaign."""

    due_at: int
    campaign: str


class CancelTimer(Struct, frozen=True, gc=False):
    """The timer of that instant and campaign is no longer needed."""

    due_at: int
    campaign: str


class Count(Struct, frozen=True, gc=False):
    """Add to a counter of a campaign (semantics.md 7; `segue.model.metrics` has the metrics).

    `detail` is a reason, alias, button, page or conversion event; of revenue, a conversion event
    and a currency.
    """

    campaign: str
    variant: str
    metric: MetricName
    detail: str = ""
    amount: float = 1
    channel: str = ""


Effect = Deliver | SetTimer | CancelTimer | Count
