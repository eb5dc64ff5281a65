"""`/hooks/sms`: providers of text messages report what became of one, and pass answers on."""

from typing import Any, Final
from xml.sax.saxutils import escape

from litestar import Request, Response, post, route
from litestar.enums import HttpMethod
from litestar.exceptions import PermissionDeniedException

from segue.channels.sms_callbacks import ForgedCallbackError, InboundSms
from segue.model.limits import SMS_HOOK_BYTES_MAX
from segue.services.application import Application

_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'
_TAG: Final = "providers' webhooks"
_TWILIO_PATH: Final = "/hooks/sms/twilio"

AnyRequest = Request[Any, Any, Any]


@post(
    _TWILIO_PATH,
    status_code=200,
    request_max_body_size=SMS_HOOK_BYTES_MAX,
    tags=[_TAG],
)
async def take_twilios_call(request: AnyRequest, application: Application) -> Response[Any]:
    """Take a status callback or a text from Twilio; to a text, answer with what is to be replied.

    The call needs no API key; it must be signed by Twilio.
    """
    replies = application.sms_replies
    headers = request.headers
    query = request.scope["query_string"].decode("latin-1")
    # What it signed is the public URL, which a proxy may have made into another.
    url = application.settings.base_url + _TWILIO_PATH + (f"?{query}" if query else "")
    body = await request.body()
    try:
        with replies.counting_forged():
            callback = replies.twilio.read(
                url, headers.get("content-type", ""), headers.get("x-twilio-signature", ""), body
            )
    except ForgedCallbackError as error:
        raise PermissionDeniedException(str(error)) from None
    answer = await replies.take(callback) if callback is not None else ""
    if not isinstance(callback, InboundSms):
        return Response(None, status_code=204)
    message = f"<Message>{escape(answer)}</Message>" if answer else ""
    return Response(_TWIML.format(message), media_type="text/xml")


@route(
    "/hooks/sms/http",
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=204,
    request_max_body_size=SMS_HOOK_BYTES_MAX,
    tags=[_TAG],
)
async def take_any_providers_call(request: AnyRequest, application: Application) -> None:
    """Take a report or a text from the provider that the settings describe.

    The call needs no API key; it must prove itself as `channels.sms.http.callbacks` says.
    """
    replies = application.sms_replies
    query = request.scope["query_string"].decode("latin-1")
    body = await request.body()
    try:
        with replies.counting_forged():
            callback = replies.http.read(request.headers, query, body)
    except ForgedCallbackError as error:
        raise PermissionDeniedException(str(error)) from None
    if callback is not None:
        await replies.take(callback)


HANDLERS = [take_twilios_call, take_any_providers_call]
