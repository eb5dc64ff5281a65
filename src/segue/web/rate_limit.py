"""How often one address may call: a bucket of calls that fills up again with time."""

from collections import OrderedDict

from segue.clock import Clock
from segue.model.instants import MINUTE, SECOND
from segue.model.limits import DEVICE_ADDRESSES_MAX


class CallBudget:
    """A bucket for each address, as large as the calls of a while; the idlest are forgotten."""

    def __init__(self, clock: Clock, calls: int, window: int = MINUTE) -> None:
        self._clock = clock
        self._calls = calls
        self._per_s = calls / (window / SECOND)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls, as of when

    def wait_for(self, address: str) -> int:
        """Take one call of an address; return 0, or after how many seconds there is one again."""
        left = self._calls_of(address)
        wait_s = self._wait_s(left)
        self._left.pop(address, None)
        self._left[address] = (left if wait_s else left - 1, self._clock.monotonic())
        if len(self._left) > DEVICE_ADDRESSES_MAX:
            self._left.popitem(last=False)
        return wait_s

    def look_at(self, address: str) -> int:
        """Return the same, and take nothing."""
        return self._wait_s(self._calls_of(address))

    def give_back(self, address: str) -> None:
        """Put back a call that was taken, since it turned out to be a good one."""
        if address in self._left:
            left, at = self._left[address]
            self._left[address] = (min(left + 1, self._calls), at)

    def _calls_of(self, address: str) -> float:
        now, full = self._clock.monotonic(), float(self._calls)
        left, at = self._left.get(address, (full, now))
        return min(left + (now - at) * self._per_s, full)

    def _wait_s(self, left: float) -> int:
        return 0 if left >= 1 else int((1 - left) / self._per_s) + 1
