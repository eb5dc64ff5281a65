"""Both stores in dictionaries, for tests, `segue run` and simulations; gone with the process.

Values are kept encoded, as in files: nothing is shared with the caller, and what a file would
refuse is refused here.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from segue.model.log_records import Block, UserErased
from segue.storage.conflicts import not_next, slug_taken
from segue.storage.encoding import (
    decode_block,
    decode_campaign,
    encode,
    encode_block,
    end_of,
)
from segue.storage.memory_accounts import MemoryAccounts, MemoryAudit
from segue.storage.memory_codes import MemoryCodes
from segue.storage.memory_compositions import MemoryCompositions
from segue.storage.memory_hold import MemoryHold
from segue.storage.memory_inbox import MemoryInbox
from segue.storage.memory_phones import MemoryPhones
from segue.storage.memory_suppressions import MemorySuppressions
from segue.storage.ports import (
    LogEnd,
    StoredCampaign,
    StoredKey,
)

_PLACE: Final = "memory"


class _StoredBlock(Struct, frozen=True):
    first_ordinal: int
    stored: bytes


class MemoryJournal:
    """The journal in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end = LogEnd()
        self._blocks: dict[int, _StoredBlock] = {}  # in order
        self._byte_count = 0
        self._indexed_seq = 0
        self._user_blocks: defaultdict[str, set[int]] = defaultdict(set)
        # Each with its document encoded: a document holds lists, which its author could change.
        self._campaigns: dict[str, tuple[StoredCampaign, bytes]] = {}
        self._keys: dict[str, StoredKey] = {}
        self._secrets: dict[str, bytes] = {}
        self.inbox, self.codes, self.phones = MemoryInbox(), MemoryCodes(), MemoryPhones()
        self.accounts, self.audit = MemoryAccounts(), MemoryAudit()
        self.suppressions = MemorySuppressions()
        self.compositions = MemoryCompositions()
        self.hold = MemoryHold()

    def append(self, block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        """Append a block, and save the campaigns it is about, both or neither."""
        end = end_of(block)
        kept = _StoredBlock(block.first_ordinal, encode_block(block))
        with self._lock:
            if block.seq != self._end.seq + 1:
                raise not_next(block.seq, _PLACE)
            self._campaigns = self._campaigns_with(campaigns)
            self._blocks[block.seq] = kept
            self._byte_count += len(kept.stored)
            self._end = end
        for record in block.records:
            if isinstance(record, UserErased):
                for table in (self.inbox, self.codes, self.phones):
                    table.erase(record.user_id)

    def log_end(self) -> LogEnd:
        """Return where the log ends."""
        return self._end

    def read_log(self, after_seq: int = 0) -> Iterator[Block]:
        """Yield the blocks after `after_seq` in order, those appended meanwhile too."""
        seq = max(after_seq + 1, self.first_seq())
        while seq <= self._end.seq:
            yield from self.read_blocks([seq])
            seq += 1

    def read_blocks(self, seqs: Iterable[int]) -> Iterator[Block]:
        """Yield the named blocks in order, passing over those that are gone."""
        for seq in sorted(set(seqs)):
            kept = self._blocks.get(seq)
            if kept is not None:
                yield decode_block(seq, kept.first_ordinal, kept.stored, _PLACE)

    def first_seq(self) -> int:
        """Return the oldest block's number; 0 when the log is empty."""
        with self._lock:
            return next(iter(self._blocks), 0)

    def log_bytes(self) -> int:
        """Return how many bytes the blocks take."""
        return self._byte_count

    def forget_log(self, bytes_max: int, before_seq: int) -> int:
        """Drop the oldest blocks below `before_seq` until the rest fit; return how many."""
        dropped = 0
        with self._lock:
            for seq in list(self._blocks):
                if self._byte_count <= bytes_max or seq >= min(before_seq, self._end.seq):
                    break
                self._byte_count -= len(self._blocks.pop(seq).stored)
                dropped += 1
            first_seq = next(iter(self._blocks), 0)
            if dropped:
                for seqs in self._user_blocks.values():
                    seqs.difference_update([seq for seq in seqs if seq < first_seq])
        return dropped

    def index_users(self, through_seq: int, pairs: Iterable[tuple[str, int]]) -> None:
        """Note that users occur in blocks, up to and including block `through_seq`."""
        with self._lock:
            for user_id, seq in pairs:
                self._user_blocks[user_id].add(seq)
            self._indexed_seq = through_seq

    def indexed_seq(self) -> int:
        """Return the last block whose users are noted."""
        return self._indexed_seq

    def blocks_of_user(self, user_id: str) -> list[int]:
        """Return the noted blocks in which the user occurs, in order."""
        with self._lock:
            first_seq = next(iter(self._blocks), 0)
            seqs = self._user_blocks.get(user_id, ())
            return sorted(seq for seq in seqs if seq >= first_seq)

    def list_campaigns(self) -> list[StoredCampaign]:
        """Return all campaigns by slug."""
        pairs = sorted(self._campaigns.values(), key=lambda pair: pair[0].slug)
        return [_campaign(*pair) for pair in pairs]

    def find_campaign(self, reference: str) -> StoredCampaign | None:
        """Return a campaign by slug or id."""
        campaigns = self._campaigns
        for campaign, document in campaigns.values():
            if campaign.slug == reference:
                return _campaign(campaign, document)
        return _campaign(*campaigns[reference]) if reference in campaigns else None

    def save_campaign(self, campaign: StoredCampaign) -> None:
        """Insert a campaign, or replace the one with its id."""
        with self._lock:
            self._campaigns = self._campaigns_with([campaign])

    def delete_campaign(self, campaign_id: str) -> None:
        """Delete a draft."""
        with self._lock:
            self._campaigns = {
                key: pair for key, pair in self._campaigns.items() if key != campaign_id
            }

    def list_keys(self) -> list[StoredKey]:
        """Return all API keys, oldest first."""
        keys = list(self._keys.values())
        return sorted(keys, key=lambda key: (key.created_at, key.id))

    def save_key(self, key: StoredKey) -> None:
        """Insert or replace an API key."""
        self._keys[key.id] = key

    def secret(self, name: str) -> bytes | None:
        """Return a secret of this installation, such as the one that signs links."""
        return self._secrets.get(name)

    def save_secret(self, name: str, value: bytes) -> None:
        """Keep a secret; an existing one of that name stays."""
        self._secrets.setdefault(name, value)

    def close(self) -> None:
        """There are no files to close."""

    def _campaigns_with(
        self, campaigns: Sequence[StoredCampaign]
    ) -> dict[str, tuple[StoredCampaign, bytes]]:
        saved = dict(self._campaigns)
        for campaign in campaigns:
            saved[campaign.id] = (campaign, encode(campaign.document))
            if sum(other.slug == campaign.slug for other, _ in saved.values()) > 1:
                raise slug_taken(campaign.slug)
        return saved


def _campaign(campaign: StoredCampaign, document: bytes) -> StoredCampaign:
    return replace(campaign, document=decode_campaign(campaign.id, document, _PLACE))
