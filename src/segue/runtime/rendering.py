"""Fills a message in at hand-over: the campaign's newest content, the user as they are now."""

from msgspec.structs import replace

from segue.content.context import template_context
from segue.content.headers import SenderInvalidError
from segue.content.links import origin_of
from segue.content.liquid import LiquidAborted, LiquidError
from segue.content.render import AddressMissing, Renderer
from segue.engine.plan import PublishedCampaign
from segue.model.campaigns import Variant
from segue.model.devices import DevicesTried, RegisteredDevice
from segue.model.messages import MessageBody
from segue.model.rendered import Rendered
from segue.model.state import UserState
from segue.runtime.dispatcher import NotSentError
from segue.runtime.phones import PhoneRule, addresses_of, device_of
from segue.runtime.runtime import Runtime
from segue.storage.outbox_items import OutboxItem


class LiveRenders:
    """Renders items of the outbox."""

    def __init__(
        self, runtime: Runtime, renderer: Renderer, phones: PhoneRule | None = None
    ) -> None:
        self._runtime = runtime
        self._renderer = renderer
        self._phone_renderer = renderer.for_phones()
        self._phones = phones or PhoneRule()

    def render(self, item: OutboxItem) -> Rendered:
        """Return the message; of one who has a virtual phone, addressed to that.

        Raises:
            NotSentError: there is no message for this user, with the reason and the place.
        """
        deliver = item.deliver
        campaign = self._runtime.plan.campaigns.get(deliver.campaign)
        state = self._runtime.state_of(deliver.user_id)
        if campaign is None or campaign.status != "active":
            raise NotSentError("campaign_stopped", "the campaign ended before hand-over")
        if state is None:
            raise NotSentError("no_address", "the user was erased")
        variant = _variant(campaign, deliver.variant)
        body = _body(variant, item.channel)
        if body is None:
            raise NotSentError("template_error", f"the variant has no {item.channel} message now")
        context = template_context(
            deliver.user_id,
            state.attributes,
            campaign.newest.document,
            campaign.id,
            variant.name,
            deliver.trigger,
            deliver.send_id,
        )
        document = campaign.newest.document
        origin = origin_of(deliver.send_id, deliver.user_id, document, variant.name)
        try:
            if self._phones.has_phone(state):
                addresses = {**state.attributes, **addresses_of(deliver.user_id)}
                devices = [device_of(deliver.user_id)]
                renderer = self._phone_renderer
                message = renderer.render(item.channel, body, addresses, context, origin, devices)
                return replace(message, for_phone=True)
            return self._renderer.render(
                item.channel, body, state.attributes, context, origin, devices_of(state, item.tried)
            )
        except AddressMissing as error:
            raise NotSentError("no_address", str(error)) from None
        except LiquidAborted as error:
            raise NotSentError("aborted", str(error)) from None
        except (LiquidError, SenderInvalidError) as error:
            raise NotSentError("template_error", str(error)) from None


def devices_of(state: UserState, tried: DevicesTried) -> list[RegisteredDevice]:
    """Return the devices that a push is to go to, or still is."""
    return [device for device in state.devices if not tried.has(device.token)]


def _variant(campaign: PublishedCampaign, name: str) -> Variant:
    """Return the newest content of the variant; of one since removed, the last there was."""
    versions = [
        campaign.newest,
        *(campaign.versions[n] for n in sorted(campaign.versions, reverse=True)),
    ]
    for version in versions:
        for variant in version.document.all_variants():
            if variant.name == name:
                return variant
    return campaign.newest.document.all_variants()[0]


def _body(variant: Variant, channel: str) -> MessageBody | None:
    for message in variant.messages:
        for written, body in message.written():
            if written == channel:
                return body
    return None
