"""The program put together: stores, runtime, senders, and the verbs on top of them."""

from collections.abc import Callable

from segue.channels.inbox import InboxSender
from segue.channels.phone import PhoneSender
from segue.channels.registry import Senders
from segue.clock import Clock
from segue.content.tokens import TokenSigner
from segue.model.channels import Channel
from segue.runtime.phones import PhoneRule
from segue.runtime.rendering import LiveRenders
from segue.runtime.runtime import Runtime, no_progress
from segue.runtime.totals import LiveTotals
from segue.services.accounts import Accounts, link_url
from segue.services.activity import Activity
from segue.services.audiences import Audiences
from segue.services.audit import AuditTrail
from segue.services.backtest_jobs import BacktestJobs
from segue.services.campaigns import Campaigns
from segue.services.channel_cards import Card, channel_cards
from segue.services.compositions import Compositions
from segue.services.counts import Counts
from segue.services.dead_letters import DeadLetters
from segue.services.devices import Devices
from segue.services.email_hooks import EmailHooks
from segue.services.keys import Keyring, create_key
from segue.services.launches import Launches
from segue.services.mail_reports import MailReports
from segue.services.mail_watch import watch_mailbox
from segue.services.message_looks import MessageLooks
from segue.services.outgoing import set_up_outgoing
from segue.services.passwords import Passwords
from segue.services.phone_actions import PhoneActions
from segue.services.phone_screens import PhoneScreens
from segue.services.phone_taps import PhoneTaps
from segue.services.phone_tokens import SECRET as PHONE_SECRET
from segue.services.phone_tokens import PhoneTokens
from segue.services.phones import VirtualPhones
from segue.services.preferences import PreferencePages
from segue.services.previews import Previews
from segue.services.profiles import Profiles
from segue.services.projects import Projects
from segue.services.publishing import Publishing
from segue.services.push_devices import PushDevices
from segue.services.receipts import Receipts
from segue.services.rehearsals import Rehearsals
from segue.services.secrets import installation_secret
from segue.services.segments import Segments
from segue.services.settings import Settings
from segue.services.sign_ins import SignIns
from segue.services.sms_replies import SmsReplies
from segue.services.suppressions import SuppressionDesk
from segue.services.test_sends import TestSends
from segue.services.tracking import Tracking
from segue.services.trial_sends import TrialSends
from segue.services.user_acts import UserActs
from segue.services.users import Users
from segue.services.workspace import WorkspaceRules
from segue.storage.open import Stores


class Application:
    """Everything one process holds. Open it with `start`, end it with `stop`."""

    def __init__(self, settings: Settings, stores: Stores, senders: Senders, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._stores = stores
        self._senders = senders
        outgoing = set_up_outgoing(settings, stores.journal, senders, clock)
        self._sends, signer, renderer = outgoing.sends, outgoing.signer, outgoing.renderer
        rule = PhoneRule(settings.channels.to_phone)
        self.runtime = Runtime(
            stores.journal,
            stores.snapshot,
            self._sends,
            lambda runtime: LiveRenders(runtime, renderer, rule),
            clock,
            settings.log_bytes_max,
        )
        inbox = InboxSender(stores.journal.inbox, clock)
        self.devices = Devices(self.runtime, inbox, signer)
        self.phones = self._phones(inbox, rule, signer)
        self.keyring = Keyring(stores.journal, clock)
        self.audit = AuditTrail(stores.journal, clock)
        passwords = Passwords(clock)
        self.accounts = Accounts(stores.journal, clock, passwords)
        self.sign_ins = SignIns(stores.journal, clock, passwords)
        self.totals = LiveTotals(self.runtime)
        self.campaigns = Campaigns(self.runtime)
        self.compositions = Compositions(self.runtime, self.campaigns)
        self.publishing = Publishing(self.runtime, self.campaigns)
        self.segments = Segments(self.runtime)
        self.counts = Counts(self.runtime)
        self.launches = Launches(
            self.runtime, self.campaigns, self.publishing, self.compositions, self.counts
        )
        self.audiences = Audiences(self.runtime, self.segments, self.counts)
        self.workspace = WorkspaceRules(self.runtime)
        self.projects = Projects(self.runtime)
        self.backtests = BacktestJobs(self.runtime, settings)
        self.users = Users(self.runtime)
        self.dead_letters = DeadLetters(self.runtime)
        self.profiles = Profiles(self.runtime, self.users)
        self.user_acts = UserActs(self.runtime, self.users)
        self.activity = Activity(self.runtime)
        self.push_devices = PushDevices(self.runtime)
        self.previews = Previews(self.runtime, renderer, rule)
        self.tracking = Tracking(self.runtime, signer, clock)
        self.looks = MessageLooks(self.runtime, self.compositions, self.previews, self.tracking)
        self.test_sends = TestSends(self.runtime, renderer, self._sends, self.phones)
        self.receipts = Receipts(self.runtime, signer, settings.base_url)
        self.email_hooks = EmailHooks(settings.channels.email, self.receipts, clock)
        email = settings.channels.email
        self.mail_reports = MailReports(
            self.receipts, signer, outgoing.return_codes.find, email.return_path
        )
        self.mail_watch = watch_mailbox(email.mailbox, self.mail_reports, clock)
        self.sms_replies = SmsReplies(self.runtime, signer, settings.channels.sms)
        self.preferences = PreferencePages(self.runtime, clock)
        self.phone_screens = PhoneScreens(self.runtime, self.phones, self.users)
        self.phone_taps = PhoneTaps(
            self.runtime,
            self.phones,
            self.devices,
            self.tracking,
            self.sms_replies,
            self.preferences,
        )
        self.suppressions = SuppressionDesk(self.runtime)
        self.trials = TrialSends(self.runtime, self._sends, settings)
        self.rehearsals = Rehearsals(self, type(self))
        self.started_at = clock.now()

    async def start(self, progress: Callable[[int, int], None] = no_progress) -> None:
        """Recover what the log holds, then begin to work."""
        self.runtime.recover(progress)
        await self.runtime.start()
        if self.mail_watch is not None:
            self.mail_watch.start()

    async def stop(self) -> None:
        """End in order, with everything written down."""
        await self.rehearsals.close()
        if self.mail_watch is not None:
            await self.mail_watch.close()
        await self.counts.close()
        await self.backtests.close()
        await self.runtime.stop()
        await self.email_hooks.close()
        await self._sends.close()
        self._stores.close()

    def first_key(self) -> str | None:
        """Make and return an admin key if there is no key yet."""
        if self.runtime.journal.list_keys():
            return None
        return create_key(self.runtime.journal, self.clock, ["admin"], "first key")

    def link_url(self, token: str) -> str:
        """Return the address of a link that works once."""
        return link_url(self.settings.base_url, token)

    @property
    def channels_set_up(self) -> list[Channel]:
        """The channels that have a provider; those that devices fetch need none."""
        return self._senders.channels

    def _phones(self, inbox: InboxSender, rule: PhoneRule, signer: TokenSigner) -> VirtualPhones:
        journal, clock = self._stores.journal, self.clock
        sender = PhoneSender(journal.phones, inbox, clock)
        self._senders.keep_for_devices(inbox)
        self._senders.keep_on_phones(sender)
        actions = PhoneActions(self.settings.base_url, signer, clock)
        tokens = PhoneTokens(installation_secret(journal, clock, PHONE_SECRET), clock)
        return VirtualPhones(self.runtime, sender, self.devices, rule, actions, tokens)

    def channel_cards(self) -> list[Card]:
        """Return how each channel's provider is set up, and how it does."""
        return channel_cards(self.settings, self._senders)

    @property
    def web_push_key(self) -> str | None:
        """The key that pages give browsers to subscribe with; None where web push is not set up."""
        return self._senders.web_push_key
