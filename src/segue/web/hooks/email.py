"""`POST /hooks/email/{provider}`: what email providers report. Their signature is the key."""

from typing import Any

from litestar import Request, Router, post
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)

from segue.channels.email_hooks import ForgedError, HookCall
from segue.clock import Clock
from segue.model.limits import HOOK_FAILURES_PER_MINUTE_MAX, HOOK_REQUEST_BYTES_MAX
from segue.services.application import Application
from segue.services.email_hooks import ReplayedError
from segue.services.receipts import TakenReceipts
from segue.web.rate_limit import CallBudget

_NEVER_AGAIN = 406  # Mailgun gives up at this one, and tries again at others


def email_hooks_router(clock: Clock) -> Router:
    """Return the route; failures of an address are counted for each application."""
    failures = CallBudget(clock, HOOK_FAILURES_PER_MINUTE_MAX)

    @post("/{provider:str}", status_code=200)
    async def take_reports(
        provider: str, request: Request[Any, Any, Any], application: Application
    ) -> TakenReceipts:
        """Take what an email provider reports of messages: sendgrid, ses, mailgun or postmark.

        The call needs no API key; it must be signed as the provider does.
        """
        address = request.client.host if request.client is not None else ""
        wait_s = failures.look_at(address)
        if wait_s:
            message = "too many calls from this address were not a provider's"
            raise TooManyRequestsException(message, headers={"Retry-After": str(wait_s)})
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            call = HookCall(headers, await request.body())
            return await application.email_hooks.take(provider, call)
        except ForgedError as error:
            failures.wait_for(address)
            if error.asks_for_login:
                login = {"WWW-Authenticate": 'Basic realm="segue"'}
                raise NotAuthorizedException(str(error), headers=login) from None
            raise PermissionDeniedException(str(error)) from None
        except ReplayedError as error:
            raise HTTPException(str(error), status_code=_NEVER_AGAIN) from None

    return Router(
        "/hooks/email",
        route_handlers=[take_reports],
        request_max_body_size=HOOK_REQUEST_BYTES_MAX,
        tags=["providers' webhooks"],
    )
