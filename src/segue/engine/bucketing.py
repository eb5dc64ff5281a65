"""Stable assignment of users to variants and control (semantics.md 5).

Another program can compute it: the first eight bytes of BLAKE2b over the slug, a zero byte and
the user id, read as a big-endian number, modulo 100. The control group has the lowest buckets,
the variants follow in the order of the document.
"""

from hashlib import blake2b

from segue.model.campaigns import Variant

BUCKETS = 100


def bucket_of(slug: str, user_id: str) -> int:
    """Return the user's bucket in the campaign, from 0 to 99."""
    digest = blake2b(f"{slug}\0{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def variant_of(slug: str, user_id: str, variants: list[Variant], control_percent: int) -> str:
    """Return the name of the variant a user who may be treated gets.

    A user whose bucket has come to lie in the control group, because the split was changed after
    they were treated, is spread over the variants by the same hash: treated users stay treated.
    """
    if len(variants) == 1:
        return variants[0].name
    bucket = bucket_of(slug, user_id)
    treated = BUCKETS - control_percent
    if bucket < control_percent:
        bucket = control_percent + bucket_of(slug + "\0treated", user_id) % treated
    upper = control_percent
    for variant in variants:
        upper += variant.percent
        if bucket < upper:
            return variant.name
    return variants[-1].name


def is_in_control(slug: str, user_id: str, control_percent: int) -> bool:
    """Return whether the user's bucket lies in the control group."""
    return control_percent > 0 and bucket_of(slug, user_id) < control_percent
