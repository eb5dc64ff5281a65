"""Demo data: the demo's campaigns and some test users, for who looks at an empty installation.

The campaigns are for test users alone, whose messages go to virtual phones: a real user who is told
to Segue later gets nothing of them, whatever providers are set up by then.
"""

from typing import Any, Final

from segue.errors import ConflictError
from segue.model.events import AttributeChange, Event
from segue.runtime.phones import TEST_USER
from segue.services.application import Application
from segue.services.publishing import PublishSetWish
from segue.simulator import shop

USERS: Final = ("ada", "ben", "cem", "dua", "eva")
_FOR_TEST_USERS: Final[dict[str, Any]] = {"attribute": TEST_USER, "eq": True}


async def put_in_demo_data(application: Application) -> int:
    """Publish the demo's campaigns, and let its first one come to some test users; return how many.

    Raises:
        ConflictError: there are campaigns already.
    """
    if application.campaigns.all():
        message = "there are campaigns already; demo data is for an installation without any"
        raise ConflictError(message)
    profiles = [
        AttributeChange(one, {"first_name": one.capitalize(), TEST_USER: True}) for one in USERS
    ]
    await application.users.change(profiles)
    documents = [{**one, "audience": _FOR_TEST_USERS} for one in shop.campaigns()]
    ids = [application.campaigns.create(one).id for one in documents]
    await application.publishing.publish_set(PublishSetWish(ids=ids))
    begun = [Event(one, "sale_started") for one in USERS]
    await application.runtime.ingest.take_events(begun)
    return len(ids)
