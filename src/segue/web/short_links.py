"""`/s`: the short links of text messages."""

from typing import Any

from litestar import HttpMethod, Request, Router, route
from litestar.exceptions import NotFoundException, TooManyRequestsException
from litestar.response import Redirect

from segue.clock import Clock
from segue.model.limits import UNKNOWN_CODES_PER_MINUTE_MAX
from segue.services.application import Application
from segue.web.rate_limit import CallBudget
from segue.web.tracking import NO_CACHE, agent_of


def short_link_router(clock: Clock) -> Router:
    """Return the route; how many codes an address has made up is counted for each application."""
    budget = CallBudget(clock, UNKNOWN_CODES_PER_MINUTE_MAX)

    @route("/{code:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=302)
    async def follow_short_link(
        code: str, request: Request[Any, Any, Any], application: Application
    ) -> Redirect:
        """Record a click and redirect to the URL that was in the message, and to no other.

        An address that tries codes is told none for a while, not even one that it hits upon.
        """
        address = request.client.host if request.client is not None else ""
        wait_s = budget.look_at(address)
        if wait_s:
            most = UNKNOWN_CODES_PER_MINUTE_MAX
            message = f"this address followed more than {most} links in a minute that do not exist"
            raise TooManyRequestsException(message, headers={"Retry-After": str(wait_s)})
        tracked = await application.tracking.find(code)
        if tracked is None or tracked.link is None:
            budget.wait_for(address)
            raise NotFoundException("this link does not exist, or no longer")
        if request.method == HttpMethod.GET:
            await application.tracking.clicked(tracked, agent_of(request))
        return Redirect(tracked.link, status_code=302, headers=NO_CACHE)

    return Router("/s", route_handlers=[follow_short_link], include_in_schema=False)
