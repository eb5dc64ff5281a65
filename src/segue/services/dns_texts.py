"""The DNS records that mail from a domain needs, as texts to compare with; nothing is looked up."""

from typing import Final

from msgspec import Struct

from segue.channels.settings import EmailSettings
from segue.channels.smtp_pool import read_smtp_url
from segue.content.headers import domain_of, read_mailbox
from segue.errors import SegueError

# What each provider asks to be named in SPF, by the end of its mail server's name.
_SPF_OF: Final = (
    ("sendgrid.net", "include:sendgrid.net"),
    ("mailgun.org", "include:mailgun.org"),
    ("amazonaws.com", "include:amazonses.com"),
    ("postmarkapp.com", "include:spf.mtasv.net"),
)


class DnsRecord(Struct, frozen=True):
    """A TXT record: its short name, where it belongs, what it says, and what it is for."""

    short_name: str
    name: str
    text: str
    purpose: str


def dns_records(settings: EmailSettings) -> list[DnsRecord]:
    """Return the records for the From domain, and that of the return path; none without either."""
    sender = read_mailbox(settings.from_ or "")
    if sender is None:
        return []
    domain = domain_of(sender)
    bounces = domain_of(settings.return_path) if settings.return_path else domain
    return [
        DnsRecord(
            "SPF",
            bounces,
            f"v=spf1 {_spf_part(settings)} ~all",
            "names who may send for the domain that bounces go to. A domain has one SPF record: "
            "add the middle part to the one that is there.",
        ),
        DnsRecord(
            "DKIM",
            f"selector._domainkey.{domain}",
            "v=DKIM1; k=rsa; p=…",
            "holds the key that your mail server or provider signs with. Selector and key are "
            "theirs: copy both from there.",
        ),
        DnsRecord(
            "DMARC",
            f"_dmarc.{domain}",
            f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}",
            "says what is done with mail that fails both. Begin with none, read the reports, "
            "then go on to quarantine.",
        ),
    ]


def _spf_part(settings: EmailSettings) -> str:
    try:
        host = read_smtp_url(settings.smtp_url or "").host
    except SegueError:
        return "a mx"
    known = (part for end, part in _SPF_OF if host == end or host.endswith(f".{end}"))
    return next(known, f"a:{host}")
