"""Who gets which variant, and who gets nothing (semantics.md 5)."""

from hashlib import blake2b

from segue.model import campaigns as document
from segue.model.campaigns import Campaign


def bucket_of(slug: str, user_id: str) -> int:
    """Return the user's stable place, 0 to 99, in a campaign's split."""
    digest = blake2b(f"{slug}\0{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 100


def variant_of(campaign: Campaign, user_id: str) -> document.Variant:
    """Return the variant of a user who is not in the control group."""
    variants, control = campaign.all_variants(), campaign.control_percent
    bucket = bucket_of(campaign.slug, user_id)
    if bucket < control:  # treated before the control group grew: spread over the variants
        bucket = control + bucket_of(f"{campaign.slug}\0treated", user_id) % (100 - control)
    upper = control
    for variant in variants:
        upper += variant.percent
        if bucket < upper:
            return variant
    return variants[-1]
