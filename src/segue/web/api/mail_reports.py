"""`POST /api/v1/mail-reports`: the door for mails that come back."""

from typing import Any

from litestar import Request, post

from segue.model.limits import MAIL_REPORT_BYTES_MAX
from segue.services.application import Application
from segue.services.mail_reports import MailTaken


@post(
    "/mail-reports",
    status_code=202,
    opt={"scope": "ingest"},
    tags=["events"],
    request_max_body_size=MAIL_REPORT_BYTES_MAX,
)
async def take_mail_report(request: Request[Any, Any, Any], application: Application) -> MailTaken:
    """Take a mail as it came, `message/rfc822`: a bounce, a complaint, a wish to get no more.

    What it reports of mails of ours is durable when answered. What is no such mail, or of no mail
    of ours, changes nothing. The first megabyte is enough of one that is longer.
    """
    return await application.mail_reports.take(await request.body())
