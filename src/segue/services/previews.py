"""A campaign's messages filled in for one user, with what is wrong with the templates."""

from typing import Any

from msgspec import Struct, field, to_builtins

from segue.channels.segments import segments_of
from segue.content.context import template_context
from segue.content.headers import SenderInvalidError
from segue.content.links import origin_of
from segue.content.liquid import LiquidError
from segue.content.render import Renderer
from segue.errors import SegueError
from segue.model.campaigns import Variant
from segue.model.channels import Channel
from segue.model.devices import RegisteredDevice
from segue.model.messages import MessageBody
from segue.model.rendered import RenderedSms
from segue.model.state import TriggerContext
from segue.runtime.phones import PhoneRule, addresses_of, device_of
from segue.runtime.runtime import Runtime
from segue.storage.ports import StoredCampaign

# Addresses of nobody: a made-up user could get a message of every channel.
_MADE_UP_ATTRIBUTES = {"email": "someone@example.test", "phone": "+12025550123"}
_MADE_UP_DEVICES = [RegisteredDevice("preview", "android", "preview")]


class PreviewRequest(Struct, forbid_unknown_fields=True):
    """For whom: a known user, attributes of a made-up one, or both on top of each other."""

    user_id: str = "preview"
    attributes: dict[str, Any] = field(default_factory=dict)
    event_properties: dict[str, Any] = field(default_factory=dict)
    trigger_properties: dict[str, Any] = field(default_factory=dict)  # templates: one and the same


class PreviewedMessage(Struct, omit_defaults=True):
    """One message as the user would get it, or why there would be none, and at which field."""

    variant: str
    channel: Channel
    content: dict[str, Any] | None = None
    error: str | None = None
    path: str | None = None  # in the message, such as "email.subject"


class Preview(Struct):
    """Every message of every variant."""

    messages: list[PreviewedMessage]


class Previews:
    """Fills messages in without sending them."""

    def __init__(
        self, runtime: Runtime, renderer: Renderer, phones: PhoneRule | None = None
    ) -> None:
        self._runtime = runtime
        self._renderer = renderer.for_previews()
        self._phones = phones or PhoneRule()

    def preview(
        self, campaign: StoredCampaign, wish: PreviewRequest, *, is_reached: bool = False
    ) -> Preview:
        """Return each message of the campaign for one user.

        With `is_reached`, addresses of nobody stand in for the user's own, so that there is one
        to look at whatever the user lacks.
        """
        state = self._runtime.state_of(wish.user_id)
        known = state.attributes if state is not None else _MADE_UP_ATTRIBUTES
        devices = state.devices if state is not None else _MADE_UP_DEVICES
        attributes = {**known, **wish.attributes}
        if is_reached:
            attributes |= _MADE_UP_ATTRIBUTES
            devices = _MADE_UP_DEVICES
        return Preview(
            [
                self._one(campaign, variant, channel, body, attributes, devices, wish)
                for variant in campaign.document.all_variants()
                for message in variant.messages
                for channel, body in message.written()
            ]
        )

    def _one(
        self,
        campaign: StoredCampaign,
        variant: Variant,
        channel: Channel,
        body: MessageBody,
        attributes: dict[str, Any],
        devices: list[RegisteredDevice],
        wish: PreviewRequest,
    ) -> PreviewedMessage:
        now = self._runtime.clock.now()
        properties = {**wish.event_properties, **wish.trigger_properties}
        trigger = TriggerContext("preview", now, "preview", properties)
        context = template_context(
            wish.user_id,
            attributes,
            campaign.document,
            campaign.id,
            variant.name,
            trigger,
            "preview",
        )
        origin = origin_of("preview", wish.user_id, campaign.document, variant.name)
        if self._phones.has_phone(self._runtime.state_of(wish.user_id)):
            attributes = {**attributes, **addresses_of(wish.user_id)}
            devices = [device_of(wish.user_id)]
        try:
            rendered = self._renderer.render(channel, body, attributes, context, origin, devices)
        except SegueError as error:
            return PreviewedMessage(
                variant.name, channel, error=str(error), path=_path_of(error, channel)
            )
        content = to_builtins(rendered, builtin_types=(bytes,))
        # Of how it gets there, and not for those who look at it.
        for name in ("devices", "token", "for_phone"):
            content.pop(name, None)
        if isinstance(rendered, RenderedSms):
            content["segments"] = to_builtins(segments_of(rendered.body))
        if isinstance(content.get("body"), bytes):
            content["body"] = content["body"].decode("utf-8", "replace")
        return PreviewedMessage(variant.name, channel, content)


def _path_of(error: SegueError, channel: Channel) -> str | None:
    """Return the field that an error is about, where it is about one."""
    match error:
        case LiquidError():
            return error.where
        case SenderInvalidError():
            return f"{channel}.from"
        case _:
            return None
