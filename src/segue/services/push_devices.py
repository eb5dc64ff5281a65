"""Devices that take push: registered for a user, and removed."""

from segue.engine.devices import fault_of_device
from segue.model.devices import Device
from segue.model.events import DeviceChanged
from segue.model.limits import NAME_LENGTH_MAX
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime


class PushDevices:
    """The verbs on devices. A token that somebody else had is taken from them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def register(self, user_id: str, device: Device) -> None:
        """Register a device, or its new token, and wait until that has been taken in.

        Raises:
            InvalidError: no push provider would take it.
        """
        fault = fault_of_device(DeviceChanged(user_id, device))
        if fault is not None:
            raise InvalidError([Problem("", fault)], "The device")
        await self._take(DeviceChanged(user_id, device))

    async def remove(self, user_id: str, device_id: str) -> None:
        """Remove a device; one that is not there is removed already."""
        await self._take(DeviceChanged(user_id, Device(device_id, "web"), is_removed=True))

    async def _take(self, changed: DeviceChanged) -> None:
        for path, name in (("user_id", changed.user_id), ("device.id", changed.device.id)):
            if len(name) > NAME_LENGTH_MAX:
                message = f"has {len(name)} characters; at most {NAME_LENGTH_MAX} are allowed"
                raise InvalidError([Problem(path, message)], "The request")
        await self._runtime.ingest.take_devices([changed])
        await self._runtime.processor.wait_for(self._runtime.commits.last_seq)
