"""One message of a campaign that is being written, as a user would get it, with notes on it."""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from selectolax.lexbor import LexborHTMLParser

from segue.engine.references import references_in
from segue.model.campaigns import Campaign, Variant
from segue.model.filters import Tagged
from segue.model.messages import Email, Message
from segue.runtime.runtime import Runtime
from segue.services.composition_sketch import sketch_of_message
from segue.services.compositions import Composition, Compositions
from segue.services.message_notes import Note, notes_on
from segue.services.message_places import MessagePlace, message_places
from segue.services.previews import PreviewedMessage, PreviewRequest, Previews
from segue.services.profile_samples import ProfileSample, ProfileSamples
from segue.services.tracking import Tracking
from segue.storage.ports import StoredCampaign

_NOBODY: Final = "sender@example.test"  # stands in for a From address that is still missing
_OWN_LINK: Final = re.compile(r"(https?://[^\s/]+/t/[a-z]/)[\w.~-]{16,}")
_LINKS_MAX: Final = 200  # told of; a mail has some dozens


class SeenLink(Struct, frozen=True):
    """A tracked link of an email: its alias, where it leads, and which campaigns follow it."""

    alias: str
    url: str
    followers: list[str]


class Look(Struct, frozen=True):
    """A message as a user would get it.

    `html` and `text` are an email's, in which links lead nowhere.
    """

    at: MessagePlace
    user_id: str
    seen: PreviewedMessage | None  # None: nothing of it can be read yet
    html: str
    text: str
    links: list[SeenLink]
    notes: list[Note]


class MessageLooks:
    """Shows messages that are being written. Nothing is sent, and nothing is recorded."""

    def __init__(
        self, runtime: Runtime, compositions: Compositions, previews: Previews, tracking: Tracking
    ) -> None:
        self._runtime = runtime
        self._compositions = compositions
        self._previews = previews
        self._tracking = tracking
        self._samples = ProfileSamples(runtime)

    def sample(self) -> ProfileSample:
        """Return what attributes users have."""
        return self._samples.get()

    def look(self, composition: Composition, place: str, wish: PreviewRequest) -> Look | None:
        """Return a message as a user would get it: that of a place, else the first there is."""
        places = message_places(composition.tree)
        at = next((one for one in places if one.place == place), places[0] if places else None)
        if at is None:
            return None
        notes = notes_on(composition.tree, at, self.sample())
        seen = self._seen(composition, at, wish)
        html, text, links = "", "", list[SeenLink]()
        if seen is not None and seen.content is not None and seen.channel == "email":
            html, found = self._harmless(seen.content.get("html") or "")
            text = _shortened(seen.content.get("text") or "")
            followed = self._followed(composition, at.variant)
            links = [SeenLink(alias, url, followed.get(alias, [])) for alias, url in found]
            notes += _missed(at, followed, [alias for alias, _ in found])
        if seen is not None and seen.error is not None:
            notes = _with_error(notes, at, seen)
        return Look(at, wish.user_id, seen, html, text, links, notes)

    def _seen(
        self, composition: Composition, at: MessagePlace, wish: PreviewRequest
    ) -> PreviewedMessage | None:
        document = _not_counted(sketch_of_message(composition.tree, at.message, at.variant))
        if not document.variants or not document.variants[0].messages:
            return None
        found = self._preview(composition, document, wish)
        if found.path == "email.from":
            # The rest can be looked at meanwhile; a note says what is missing.
            better = self._preview(composition, _with_sender(document), wish)
            return replace(better, error=found.error, path=found.path)
        if found.error is not None and found.path is None:
            # Who lacks an address would get none; what it would be can be looked at all the same.
            better = self._preview(composition, document, wish, is_reached=True)
            return replace(better, error=found.error)
        return found

    def _preview(
        self,
        composition: Composition,
        document: Campaign,
        wish: PreviewRequest,
        *,
        is_reached: bool = False,
    ) -> PreviewedMessage:
        now = self._runtime.clock.now()
        campaign = composition.campaign or composition.id
        stored = StoredCampaign(campaign, document, "draft", 0, now, now)
        return self._previews.preview(stored, wish, is_reached=is_reached).messages[0]

    def _harmless(self, html: str) -> tuple[str, list[tuple[str, str]]]:
        """Return an email whose links lead nowhere, and the tracked ones with their aliases.

        A click on a real one would be counted, or unsubscribe whom the preview is for.
        """
        tree = LexborHTMLParser(html)
        found: dict[str, str] = {}
        for node in tree.css("a[href], area[href]"):
            link = node.attributes.get("href") or ""
            token = link.partition("/t/c/")[2]
            tracked = self._tracking.read(token, "click") if token else None
            if tracked is not None and tracked.alias and len(found) < _LINKS_MAX:
                link = tracked.link or ""
                found.setdefault(tracked.alias, link)
            node.attrs["href"] = "#"
            node.attrs["title"] = _shortened(link)
        for node in tree.css("base, svg a, form[action], [formaction]"):
            for name in ("href", "xlink:href", "action", "formaction"):
                if name in node.attributes:
                    del node.attrs[name]
        return tree.html or "", list(found.items())

    def _followed(self, composition: Composition, variant: str) -> dict[str, list[str]]:
        """Return the aliases by which other campaigns follow this one, with their names."""
        base = self._compositions.base_of(composition)
        own = {base.slug, base.id} if base is not None else set()
        found: dict[str, list[str]] = {}
        for other in self._compositions.choices(composition).others:
            if other.status == "archived":
                continue
            for reference in references_in(other.document):
                spec = reference.spec
                alias, campaign = getattr(spec, "alias", None), getattr(spec, "campaign", None)
                is_ours = campaign in own if not isinstance(campaign, Tagged) else False
                if alias and is_ours and getattr(spec, "variant", None) in (None, variant):
                    names = found.setdefault(alias, [])
                    if other.document.name not in names:
                        names.append(other.document.name)
        return found


def _shortened(text: str) -> str:
    """Return a text without the tokens of links of ours: whoever has one acts for its user."""
    return _OWN_LINK.sub(r"\1…", text)


def _not_counted(document: Campaign) -> Campaign:
    """Return a document whose emails have no pixel: who looks at a preview has opened nothing."""
    return _with_emails(document, track_opens=False)


def _with_sender(document: Campaign) -> Campaign:
    return _with_emails(document, from_=_NOBODY)


def _with_emails(document: Campaign, **changes: Any) -> Campaign:
    def changed(message: Message) -> Message:
        if message.email is None:
            return message
        email: Email = replace(message.email, **changes)
        return replace(message, email=email)

    variants: list[Variant] = [
        replace(one, messages=[changed(message) for message in one.messages])
        for one in document.variants
    ]
    return replace(document, variants=variants)


def _missed(at: MessagePlace, followed: dict[str, list[str]], aliases: Sequence[str]) -> list[Note]:
    """Return which followers wait for a link that is not there."""
    return [
        Note(
            f"{at.place}.email.html",
            "",
            f"{' and '.join(f'“{name}”' for name in names)} follows clicks on the link "
            f'`{alias}`, which is not in this email; give one data-alias="{alias}"',
            is_fault=False,
        )
        for alias, names in followed.items()
        if alias not in aliases
    ]


def _with_error(notes: list[Note], at: MessagePlace, seen: PreviewedMessage) -> list[Note]:
    """Add why there would be no message, unless its field has a fault already."""
    path = f"{at.place}.{seen.path}" if seen.path else f"{at.place}.{at.channel}"
    if any(one.is_fault and one.path == path for one in notes):
        return notes
    text = seen.error or ""
    if seen.path == "email.from":
        text = "no usable From address: neither here nor in the settings (channels.email.from)"
    elif seen.path is not None:
        text = text.removeprefix(f"{seen.path}: ").removeprefix(f"{seen.path}, ")
    else:
        text = f"this user would get none: {text}"
    return [Note(path, "", text, is_fault=seen.path is not None), *notes]
