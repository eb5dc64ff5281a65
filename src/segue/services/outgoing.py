"""How messages leave: filled in, with links that are ours, codes that are kept, and senders."""

from typing import Final

from msgspec import Struct

from segue.channels.coded import CodedSenders
from segue.channels.registry import Senders
from segue.channels.return_codes import NamedReturns, ReturnCodes
from segue.clock import Clock
from segue.content.codes import CodeMaker
from segue.content.links import preferences_root
from segue.content.render import Renderer
from segue.content.short_links import Shortener
from segue.content.tokens import TokenSigner
from segue.services.secrets import installation_secret
from segue.services.settings import Settings
from segue.storage.ports import Journal

_LINK_SECRET: Final = "link-signing-key"  # noqa: S105 - its name, not the key
_CODE_SECRET: Final = "short-code-key"  # noqa: S105 - the same


class Outgoing(Struct, frozen=True):
    """What fills messages in, what hands them over, and what signs and names their links."""

    renderer: Renderer
    sends: CodedSenders | NamedReturns
    signer: TokenSigner
    return_codes: ReturnCodes


def set_up_outgoing(
    settings: Settings, journal: Journal, senders: Senders, clock: Clock
) -> Outgoing:
    """Put together what the settings ask for; secrets are made on first use."""
    email = settings.channels.email
    signer = TokenSigner(installation_secret(journal, clock, _LINK_SECRET))
    codes = CodeMaker(installation_secret(journal, clock, _CODE_SECRET))
    shortener = Shortener(settings.short_base_url, codes, preferences_root(settings.base_url))
    renderer = Renderer(
        settings.base_url,
        signer,
        clock,
        default_from=email.from_,
        shortener=shortener,
        is_counted_by_provider=email.provider_opens_and_clicks,
        unsubscribe_address=email.unsubscribe_address,
    )
    return_codes = ReturnCodes(signer, journal.codes, codes, clock)
    coded = CodedSenders(senders, journal.codes, codes, clock)
    sends = NamedReturns(coded, return_codes) if email.return_path else coded
    return Outgoing(renderer, sends, signer, return_codes)
