"""How often one address may call: a bucket of calls that fills up again with time."""

from collections import OrderedDict

from segue.clock import Clock
from segue.model.limits import DEVICE_ADDRESSES_MAX, DEVICE_CALLS_PER_MINUTE_MAX

_PER_S = DEVICE_CALLS_PER_MINUTE_MAX / 60


class CallBudget:
    """A bucket for each address, a minute's calls large; the idlest addresses are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls, as of when

    def wait_for(self, address: str) -> int:
        """Take one call of an address; return 0, or after how many seconds there is one again."""
        now = self._clock.monotonic()
        left, at = self._left.pop(address, (float(DEVICE_CALLS_PER_MINUTE_MAX), now))
        left = min(left + (now - at) * _PER_S, DEVICE_CALLS_PER_MINUTE_MAX)
        is_enough = left >= 1
        self._left[address] = (left - 1 if is_enough else left, now)
        if len(self._left) > DEVICE_ADDRESSES_MAX:
            self._left.popitem(last=False)
        return 0 if is_enough else int((1 - left) / _PER_S) + 1
