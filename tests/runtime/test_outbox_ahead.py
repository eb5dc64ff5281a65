"""The outbox may be written down ahead of the fold; a replay takes nothing in a second time."""

from segue.model.devices import DevicesTried
from segue.model.effects import Deliver
from segue.model.log_records import SendsAttempted, SendsDeferred
from segue.model.state import TriggerContext
from segue.runtime.outbox import Outbox

PUSH = Deliver("s", "ann", "c", "A", ["push"], 0, TriggerContext("go", 0, "e"))
RECORDS = {
    7: SendsAttempted(1, [("s", "push")]),
    8: SendsDeferred(2, [("s", "push", 9, "later")], [("s", DevicesTried(accepted=["t"]))]),
    9: SendsAttempted(3, [("s", "push")]),
}


def follow(outbox: Outbox, *seqs: int) -> None:
    for seq in seqs:
        outbox.seq = seq
        outbox.follow(RECORDS[seq])


def test_what_a_message_has_taken_in_already_is_passed_over() -> None:
    # Found by `segue simulate`: after a crash, attempts were counted twice, and a message was
    # given up before its time.
    outbox = Outbox()
    outbox.add(PUSH)
    follow(outbox, 7, 8)
    [written], _ = outbox.begin_writing()
    again = Outbox([written])
    follow(again, 7, 8, 9)
    follow(outbox, 9)
    assert again.items == outbox.items
    [item] = again.items.values()
    assert (item.attempts, item.tried.accepted, item.is_attempted) == (2, ["t"], True)
