"""`/api/v1/backtests`: what a draft would have done on the recorded log."""

from typing import Annotated, Any

from litestar import Request, delete, get, post
from msgspec import Meta, Struct

from segue.model.decoding import decode_document
from segue.model.instants import parse_instant
from segue.model.limits import BACKTEST_EXAMPLES_MAX
from segue.model.problems import InvalidError, Problem
from segue.services.application import Application
from segue.services.backtest_jobs import BacktestJob
from segue.services.backtests import EXAMPLES_DEFAULT
from segue.web.bodies import read_json


class BacktestRequest(Struct, forbid_unknown_fields=True):
    """A draft, from when on it is taken as published, and how many examples of each kind to show.

    Without `since` it is published at the beginning of the log.
    """

    document: dict[str, Any]
    since: str | None = None
    examples: Annotated[int, Meta(ge=0, le=BACKTEST_EXAMPLES_MAX)] = EXAMPLES_DEFAULT


class BacktestBegun(Struct):
    """Under which id to ask for the backtest."""

    id: str
    status: str


@post("/backtests", status_code=202, opt={"scope": "campaigns", "audit": False}, tags=["backtests"])
async def start_backtest(
    request: Request[Any, Any, Any], application: Application
) -> BacktestBegun:
    """Begin to run a draft over the recorded log; ask for it by the id that is answered."""
    wish = decode_document(await read_json(request), BacktestRequest)
    try:
        since = parse_instant(wish.since) if wish.since is not None else None
    except ValueError as error:
        raise InvalidError([Problem("since", str(error))], "The request") from None
    job = application.backtests.start(wish.document, since, wish.examples)
    return BacktestBegun(job.id, job.status)


@get("/backtests/{backtest:str}", opt={"scope": "read"}, tags=["backtests"], sync_to_thread=False)
def get_backtest(backtest: str, application: Application) -> BacktestJob:
    """Show how far a backtest has come, and its result once it is done."""
    return application.backtests.find(backtest)


@delete("/backtests/{backtest:str}", opt={"scope": "campaigns", "audit": False}, tags=["backtests"])
async def cancel_backtest(backtest: str, application: Application) -> None:
    """End a backtest that is running."""
    await application.backtests.cancel(backtest)


HANDLERS = [start_backtest, get_backtest, cancel_backtest]
