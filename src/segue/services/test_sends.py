"""Send one message that is being written to a test user's virtual phone, and to nobody else."""

from typing import Any

from msgspec.structs import replace

from segue.channels.sender import Accepted
from segue.content.context import template_context
from segue.content.links import origin_of
from segue.content.render import Renderer
from segue.errors import ConflictError, NotFoundError, SegueError
from segue.model.ids import random_id
from segue.model.state import TriggerContext
from segue.runtime.dispatcher import Sends
from segue.runtime.phones import addresses_of, device_of
from segue.runtime.runtime import Runtime
from segue.services.composition_sketch import sketch_of_message
from segue.services.compositions import Composition
from segue.services.message_places import message_places
from segue.services.phones import VirtualPhones
from segue.services.previews import PreviewRequest

_OF_A_TEST = ".test"  # behind the slug: no campaign can be called that, so none counts its clicks


class TestSends:
    """The verb of sending a test."""

    __test__ = False  # pytest: this is none

    def __init__(
        self, runtime: Runtime, renderer: Renderer, sends: Sends, phones: VirtualPhones
    ) -> None:
        self._runtime = runtime
        self._renderer = renderer.for_phones()
        self._sends = sends
        self._phones = phones

    def has_phone(self, user_id: str) -> bool:
        """Return whether a test can be sent to a user."""
        return self._phones.has_phone(user_id)

    async def send(self, composition: Composition, place: str, wish: PreviewRequest) -> None:
        """Send the message of a place, filled in as its preview, to the user's phone.

        Raises:
            NotFoundError: there is no such message.
            ConflictError: the user has no phone, or the message cannot be sent as it is.
        """
        at = next((one for one in message_places(composition.tree) if one.place == place), None)
        if at is None:
            message = f"there is no message at {place!r}"
            raise NotFoundError(message)
        user_id, state = wish.user_id, self._runtime.state_of(wish.user_id)
        if state is None or not self.has_phone(user_id):
            message = f"{user_id!r} has no virtual phone; make its attribute test_user true"
            raise ConflictError(message)
        document = sketch_of_message(composition.tree, at.message, at.variant)
        written = [one for v in document.variants for m in v.messages for one in m.written()]
        if not written:
            message = "nothing of the message can be read yet"
            raise ConflictError(message)
        channel, body = written[0]
        now = self._runtime.clock.now()
        send_id = random_id(now, self._runtime.clock.token(10))
        attributes: dict[str, Any] = {**state.attributes, **wish.attributes}
        properties = {**wish.event_properties, **wish.trigger_properties}
        context = template_context(
            user_id,
            attributes,
            document,
            composition.campaign or composition.id,
            at.variant,
            TriggerContext("test", now, "test", properties),
            send_id,
        )
        origin = origin_of(send_id, user_id, document, at.variant)
        origin = replace(origin, campaign=origin.campaign + _OF_A_TEST)
        try:
            rendered = self._renderer.render(
                channel,
                body,
                {**attributes, **addresses_of(user_id)},
                context,
                origin,
                [device_of(user_id)],
            )
        except SegueError as error:
            raise ConflictError(f"it cannot be sent as it is: {error}") from None
        answer = await self._sends.send(replace(rendered, for_phone=True))
        if not isinstance(answer, Accepted):
            raise ConflictError(f"the phone did not take it: {answer}")
