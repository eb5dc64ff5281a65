"""Is the log what was written: every block there, in order, and readable?"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from segue.errors import DamagedError
from segue.model.limits import FAULTS_TOLD_MAX
from segue.model.log_records import Block
from segue.storage.encoding import end_of
from segue.storage.ports import Journal, LogEnd

# (blocks done, blocks in all)
Progress = Callable[[int, int], None]


class LogCheck(Struct, frozen=True):
    """What was found: where the log begins and ends, and the first of what is wrong."""

    first_seq: int
    last_seq: int
    entries: int
    faults: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether it reaches back to its beginning."""
        return self.first_seq <= 1


def check_log(journal: Journal, progress: Progress) -> LogCheck:
    """Read every block that is there now."""
    try:
        first, last = journal.first_seq(), journal.log_end().seq
    except DamagedError as error:
        return LogCheck(0, 0, 0, [str(error)])
    faults: list[str] = []
    end: LogEnd | None = None
    entries = 0
    expected = first
    for block in _blocks(journal, first, last, faults):
        if block.seq != expected:
            faults.append(f"blocks {expected} to {block.seq - 1} are missing or cannot be read")
        elif end is not None:
            faults += _breaks(end, block)
        end = end_of(block)
        entries += end.next_ordinal - block.first_ordinal
        expected = block.seq + 1
        progress(block.seq - first + 1, last - first + 1)
        if len(faults) >= FAULTS_TOLD_MAX:
            break
    else:
        if last and expected != last + 1:
            faults.append(f"blocks {expected} to {last} are missing or cannot be read")
    return LogCheck(first, last, entries, faults)


def _blocks(journal: Journal, first: int, last: int, faults: list[str]) -> Iterator[Block]:
    """Yield the blocks that can be read; those that cannot become faults."""
    seq = first - 1
    while seq < last:
        try:
            for block in journal.read_log(seq):
                if block.seq > last:
                    return
                seq = block.seq
                yield block
            return
        except DamagedError as error:
            faults.append(str(error))
            seq += 1  # the damaged one; if it is another, the next look stops at it again
            if len(faults) >= FAULTS_TOLD_MAX:
                return


def _breaks(end: LogEnd, block: Block) -> Iterator[str]:
    """Yield in what way a block does not go on where the one before ended."""
    if block.first_ordinal != end.next_ordinal:
        yield (
            f"block {block.seq} begins with entry {block.first_ordinal}, and the one before "
            f"ended at entry {end.next_ordinal}"
        )
    if block.records[0].received_at < end.received_at:
        yield f"block {block.seq} was accepted before the one before it"
