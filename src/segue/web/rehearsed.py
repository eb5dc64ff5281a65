"""Which application an address means: the live one, or that of the rehearsal it is in."""

from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import Provide

from segue.services.application import Application
from segue.services.rehearsals import PATH, Rehearsal

Connection = ASGIConnection[Any, Any, Any, Any]

_PARAMETER: Final = "rehearsal_id"
REHEARSAL_PATH: Final = f"{PATH}/{{{_PARAMETER}:str}}"


def rehearsal_of(connection: Connection) -> Rehearsal:
    """Return the rehearsal that an address is in.

    Raises:
        RehearsalEndedError: it has ended.
    """
    live: Application = connection.app.state.application
    return live.rehearsals.find(connection.path_params[_PARAMETER])


def application_at(connection: Connection) -> Application:
    """Return the application that an address means.

    Raises:
        RehearsalEndedError: it is in a rehearsal that has ended.
    """
    if _PARAMETER in connection.path_params:
        return rehearsal_of(connection).application
    application: Application = connection.app.state.application
    return application


def base_of(connection: Connection) -> str:
    """Return what the paths of a rehearsal begin with; nothing where an address is in none."""
    rehearsal_id = connection.path_params.get(_PARAMETER)
    return f"{PATH}/{rehearsal_id}" if rehearsal_id is not None else ""


def _provide_rehearsed(request: Request[Any, Any, Any]) -> Application:
    rehearsal = rehearsal_of(request)
    live: Application = request.app.state.application
    live.rehearsals.use(rehearsal)
    return rehearsal.application


# Given to a route in a rehearsal, its handler does there what it does elsewhere.
IN_REHEARSAL: Final = {"application": Provide(_provide_rehearsed, sync_to_thread=False)}
