"""`/api/v1/users/{id}/devices`: where a user's push notifications go."""

from typing import Any

from litestar import Request, delete, post

from segue.model.decoding import decode_document
from segue.model.devices import Device
from segue.services.application import Application
from segue.web.bodies import read_json


@post("/users/{user_id:str}/devices", status_code=204, opt={"scope": "ingest"}, tags=["users"])
async def register_device(
    user_id: str, request: Request[Any, Any, Any], application: Application
) -> None:
    """Register a device, `{id, platform, token}`; a browser's with the `keys` of its subscription.

    A new token replaces the former one of the same `id`. A token that another user had is taken
    from them. The user need not exist yet.
    """
    device = decode_document(await read_json(request), Device, "The device")
    await application.push_devices.register(user_id, device)


@delete("/users/{user_id:str}/devices/{device_id:str}", opt={"scope": "ingest"}, tags=["users"])
async def remove_device(user_id: str, device_id: str, application: Application) -> None:
    """Remove a device: the user signed out there, or wants no more push."""
    await application.push_devices.remove(user_id, device_id)


HANDLERS = [register_device, remove_device]
