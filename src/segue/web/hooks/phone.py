"""`/hooks/sms/phone`: what somebody texts back from a virtual phone, a provider like any other."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.exceptions import PermissionDeniedException
from msgspec import Meta, Struct

from segue.channels.sms_callbacks import ForgedCallbackError, InboundSms
from segue.model.decoding import decode_document
from segue.model.events import Name, UserId
from segue.model.limits import SMS_HOOK_BYTES_MAX
from segue.runtime.phones import addresses_of
from segue.services.application import Application
from segue.web.bodies import read_json
from segue.web.phone_keys import PhoneUser, may_phone_speak


class TextBody(Struct, forbid_unknown_fields=True):
    """A text; its id lets a repeat be taken once."""

    user_id: UserId
    id: Name
    text: Annotated[str, Meta(min_length=1)]


class Answered(Struct):
    """What the provider of a real number would text back; empty where that is nothing."""

    answer: str


@post(
    "/hooks/sms/phone",
    status_code=200,
    request_max_body_size=SMS_HOOK_BYTES_MAX,
    tags=["providers' webhooks"],
)
async def take_phones_text(request: Request[Any, Any, Any], application: Application) -> Answered:
    """Take what the user of a virtual phone texts back, `{user_id, id, text}`.

    The call needs no API key; it proves itself by `Authorization: Bearer` and the phone's token.
    """
    replies, phones = application.sms_replies, application.phones
    _, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        with replies.counting_forged():
            speaker = phones.user_of(token.strip())
            if speaker is None:
                raise ForgedCallbackError("this phone's token is not ours, or has expired")
    except ForgedCallbackError as error:
        raise PermissionDeniedException(str(error)) from None
    body = decode_document(await read_json(request), TextBody, "The body")
    may_phone_speak(PhoneUser(speaker), body.user_id)
    if not phones.has_phone(speaker):
        message = f"{speaker!r} has no virtual phone any more"
        raise PermissionDeniedException(message)
    number = addresses_of(speaker)["phone"]
    return Answered(await replies.take(InboundSms("phone", body.id, number, body.text), speaker))
