"""Programs that load a message's images or follow its links before a person does."""

from typing import Final

# Parts of their User-Agents.
_PREFETCHERS: Final = (
    "googleimageproxy",
    "yahoomailproxy",
    "bingpreview",
    "barracuda",
    "mimecast",
    "proofpoint",
    "microsoft office existence discovery",
    "safelinks",
    "symantec",
    "trendmicro",
    "bitdefender",
    "google-safety",
    "twilio",
    "bot",
    "crawler",
    "spider",
    "scanner",
)
# Those that follow a link to show beside it where it leads. "bot" is in the names of most; what
# iMessage sends has the name of Facebook's in it, and apps give those of their systems' HTTP.
_PREVIEWERS: Final = (
    "facebookexternalhit",
    "facebookcatalog",
    "meta-externalagent",
    "whatsapp/",
    "slack-imgproxy",
    "google-pagerenderer",
    "google-read-aloud",
    "google-inspectiontool",
    "googleother",
    "mediapartners-google",
    "preview",
    "embedly",
    "iframely",
    "vkshare",
    "headlesschrome",
    "dalvik/",
    "cfnetwork/",
)
# Apple's mail privacy proxy loads with a bare agent that no browser sends.
_BARE_AGENTS: Final = ("mozilla/5.0", "")


def is_prefetcher(user_agent: str) -> bool:
    """Return whether the agent is a known prefetcher or scanner rather than a person."""
    return _has_one_of(_PREFETCHERS, user_agent)


def is_previewer(user_agent: str) -> bool:
    """Return whether the agent is known to follow links for what it shows beside them."""
    return _has_one_of(_PREVIEWERS, user_agent)


def is_machine_open(user_agent: str) -> bool:
    """Return whether an image was loaded by a machine, as far as the agent tells."""
    return is_prefetcher(user_agent) or user_agent.strip().lower() in _BARE_AGENTS


def _has_one_of(words: tuple[str, ...], user_agent: str) -> bool:
    agent = user_agent.lower()
    return any(word in agent for word in words)
