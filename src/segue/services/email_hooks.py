"""Email providers' webhooks: verified, read, and handed on as receipts."""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Final, Literal, get_args

from msgspec.structs import replace

from segue.channels.email_hooks import IGNORED, EmailHook, ForgedError, HookCall, Ignored
from segue.channels.mailgun import MailgunHook
from segue.channels.postmark import PostmarkHook
from segue.channels.receipts import Receipt
from segue.channels.sendgrid import SendGridHook
from segue.channels.ses import SesHook
from segue.channels.settings import EmailSettings
from segue.channels.sns import Fetch
from segue.clock import Clock
from segue.errors import NotFoundError, SegueError
from segue.model.limits import HOOK_ONCE_MAX
from segue.services.receipts import Receipts, TakenReceipts

EmailProvider = Literal["sendgrid", "ses", "mailgun", "postmark"]
EMAIL_PROVIDERS: Final[tuple[EmailProvider, ...]] = get_args(EmailProvider)


class ReplayedError(SegueError):
    """The same call came before, and may come only once."""


class EmailHooks:
    """The webhooks of the providers that are set up."""

    def __init__(
        self,
        settings: EmailSettings,
        receipts: Receipts,
        clock: Clock,
        fetch: Fetch | None = None,
    ) -> None:
        """Read the settings; `fetch` stands in for Amazon.

        Raises:
            SegueError: a key is none, or opens and clicks are left to no provider.
        """
        self._receipts = receipts
        self._hooks: dict[str, EmailHook] = {}
        if settings.sendgrid is not None:
            self._hooks["sendgrid"] = SendGridHook(settings.sendgrid, clock)
        if settings.ses is not None:
            self._hooks["ses"] = SesHook(settings.ses, clock, fetch)
        if settings.mailgun is not None:
            self._hooks["mailgun"] = MailgunHook(settings.mailgun, clock)
        if settings.postmark is not None:
            self._hooks["postmark"] = PostmarkHook(settings.postmark)
        if settings.provider_opens_and_clicks and not self._hooks:
            names = ", ".join(f"[channels.email.{name}]" for name in EMAIL_PROVIDERS)
            message = (
                "channels.email.provider_opens_and_clicks leaves opens and clicks to a provider, "
                f"and none is set up; set one of {names}"
            )
            raise SegueError(message)
        # Calls that may come once only, the oldest first.
        self._came: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def take(self, provider: str, call: HookCall) -> TakenReceipts:
        """Take what a provider reports.

        Raises:
            NotFoundError: the provider is not set up.
            ForgedError: the call is not the provider's.
            ReplayedError: it came before.
            UnreadableError: it is not of the provider's form.
            BusyError: it cannot be taken now; it is to come again.
        """
        hook = self._hooks.get(provider)
        if hook is None:
            raise NotFoundError(_not_set_up(provider))
        try:
            read = await hook.read(call)
        except ForgedError:
            self._receipts.note(provider, "forged")
            raise
        if read.once is None:
            return await self._hand_on(provider, read.reports)
        key = (provider, read.once)
        if key in self._came:
            self._receipts.note(provider, "replayed")
            raise ReplayedError("this call came before; nothing is taken twice")
        self._came[key] = None
        if len(self._came) > HOOK_ONCE_MAX:
            self._came.popitem(last=False)
        try:
            return await self._hand_on(provider, read.reports)
        except BaseException:
            self._came.pop(key, None)  # not taken: the provider is to send it again
            raise

    async def close(self) -> None:
        """Close connections."""
        for hook in self._hooks.values():
            await hook.close()

    async def _hand_on(self, provider: str, reports: Sequence[Receipt | Ignored]) -> TakenReceipts:
        taken = await self._receipts.take(
            provider, [one for one in reports if isinstance(one, Receipt)]
        )
        ignored = Counter(one for one in reports if not isinstance(one, Receipt))
        for result in IGNORED:
            self._receipts.note(provider, result, ignored[result])
        return replace(taken, unused=taken.unused + ignored.total())


def _not_set_up(provider: str) -> str:
    if provider not in EMAIL_PROVIDERS:
        return f"{provider!r:.50} is no provider known here; there are {', '.join(EMAIL_PROVIDERS)}"
    return (
        f"no webhook of {provider} is set up; set [channels.email.{provider}], "
        "as docs/howto/email.md shows"
    )
