"""Every bound of the program in one place, each with its reason."""

from typing import Final

from segue.model.instants import DAY, HOUR, MINUTE, SECOND

# What comes in
EVENTS_PER_CALL_MAX: Final = 10_000  # interface.md: POST /events
REQUEST_BYTES_MAX: Final = 32 * 1024 * 1024  # 10,000 events of 3 kB; larger bodies are cut off
USERS_PER_CALL_MAX: Final = 1_000  # a profile is larger than an event
NAME_LENGTH_MAX: Final = 255  # as the commercial original: event names, user ids, attribute names
EVENT_BYTES_MAX: Final = 100 * 1024  # as the commercial original: properties of one event
ATTRIBUTES_PER_USER_MAX: Final = 1_000  # keeps one state well under a megabyte
STRING_ATTRIBUTE_LENGTH_MAX: Final = 4_096  # a profile value, not a document
INGEST_BACKLOG_EVENTS_MAX: Final = 200_000  # about a second of work; more is answered 429
INGEST_BACKLOG_BYTES_MAX: Final = 64 * 1024 * 1024  # and so much of them, some 300 MB in memory
BODIES_BYTES_MAX: Final = 256 * 1024 * 1024  # bodies of calls being read; more are answered 429
RECENT_IDS_MAX: Final = 5_000_000  # event ids remembered for duplicates: some 600 MB at the most
DUPLICATE_WINDOW: Final = 24 * HOUR  # semantics.md 8

# Campaigns
TRIGGERS_MAX: Final = 20  # campaign-facts.md B1 gives exceptions a soft cap of 20
EXCEPTIONS_MAX: Final = 20  # as many as triggers
VARIANTS_MAX: Final = 8  # semantics.md 5
CONVERSIONS_MAX: Final = 4  # semantics.md 6: A to D
CONVERSION_WINDOW_MAX: Final = 30 * DAY  # semantics.md 6
DELAY_MAX: Final = 365 * DAY  # semantics.md 3
DELAY_DAYS_MAX: Final = 365  # the same in calendar days
RE_ELIGIBILITY_MAX: Final = 720 * DAY  # semantics.md 3
CHAIN_HOPS_MAX: Final = 10  # semantics.md 3
FILTER_DEPTH_MAX: Final = 20  # deeper trees are a mistake, and recursion must end
COUNTED_MAX: Final = 50  # campaign-facts.md 7.4: "X in Y days" with X from 0 to 50
CAPS_MAX: Final = 10  # semantics.md 3
CAP_WINDOW_MAX: Final = 30 * DAY  # semantics.md 3
SUBSCRIPTION_GROUPS_MAX: Final = 100  # campaign-facts.md 4.5
GROUP_DESCRIPTION_LENGTH_MAX: Final = 500  # a few lines under its name, on the users' page
SEGMENTS_MAX: Final = 1_000  # all are compiled into each plan
RECIPIENTS_PER_CALL_MAX: Final = 1_000  # as users: each may carry properties
PUBLISHED_AT_ONCE_MAX: Final = 500  # campaigns: their documents are one block of the log
APPLIED_AT_ONCE_MAX: Final = 2_000  # campaigns of a folder: their documents are one block too
BACKFILL_USERS_MAX: Final = 500_000  # decided about before anything else: half a minute
BACKFILL_PART_EVENTS: Final = 10_000  # of a backfill in one block, so that others get their turn
MESSAGE_BYTES_MAX: Final = 400 * 1024  # channel-facts.md 1.1: an email body

# Local time
ZONE_NAME_LENGTH_MAX: Final = 64  # twice the longest; a profile may hold anything in its place
ZONES_CACHED_MAX: Final = 2_000  # all six hundred, and names that are none, which profiles hold
HOURS_SEARCH: Final = 8 * DAY  # hours of the day recur daily; a week outlasts any clock change
CRON_LENGTH_MAX: Final = 255  # every minute of the hour, written out, takes 169

# Rendering
RENDER_TIME_MAX: Final = 100_000  # microseconds; one template may not hold the process longer
RENDER_MEMORY_BYTES_MAX: Final = 50 * 1024 * 1024  # a small server renders some at once

# Sending
MACHINE_OPEN_WINDOW: Final = 2 * SECOND  # opens this soon after hand-over are a scanner's
WEBHOOK_ATTEMPTS_MAX: Final = 6  # channel-facts.md 1.6: five retries within 30 minutes
WEBHOOK_RETRY_WINDOW: Final = 30 * MINUTE  # later, the news is old
EMAIL_RETRY_WINDOW: Final = 72 * HOUR  # channel-facts.md 6.11: a deferral is retried for 72 hours
RESPONSE_BYTES_MAX: Final = 64 * 1024  # of a webhook's answer; the rest is not read
PROVIDER_DETAIL_LENGTH_MAX: Final = 400  # of its last failure: two lines of the settings' page
OUTBOX_MAX: Final = 100_000  # sends decided and not yet handed over; then deciding pauses
DEVICES_PER_USER_MAX: Final = 20  # a person has a few, and each gets every push
DEVICE_TOKEN_LENGTH_MAX: Final = 4_096  # a browser's is a URL of some hundred characters
PUSH_BYTES_MAX: Final = 4_096  # channel-facts.md 6.6 to 6.8: FCM, APNs and push services alike
PUSH_STORED_MAX: Final = 28 * DAY  # FCM keeps nothing longer for a device that is switched off
SMS_SEGMENTS_MAX: Final = 10  # each is paid for; Twilio takes 1,600 characters
SHORT_LINKS_MAX: Final = 80  # of one text: ten segments hold no more of them
SHORT_LINK_LIFE: Final = 365 * DAY  # channel-facts.md 1.5: the original's, where it has two
CODES_MAX: Final = 10_000_000  # some 3 GB of the journal; past it the oldest go
CODES_PRUNED_MAX: Final = 1_000  # rows in one write, so that an append of the log never waits long
CODE_CANDIDATES_MAX: Final = 4  # each is taken once in ten million times, if ten million are kept
UNKNOWN_CODES_PER_MINUTE_MAX: Final = 30  # of one address: typing errors, and no search for codes
SMS_HOOK_BYTES_MAX: Final = 64 * 1024  # a call of a provider; the longest text is 1,600 characters
SMS_REPLY_LENGTH_MAX: Final = 1_600  # of a text that comes in, or answers one: Twilio's bound
SMS_REPLIES_REMEMBERED_MAX: Final = 10_000  # ids of texts that came in, so that each counts once
SMS_REPLY_WAIT: Final = 3 * SECOND  # for what came before a text; Twilio waits fifteen seconds
BREAKER_FAILURES_MAX: Final = 5  # in a row: then a provider is down, not unlucky
BREAKER_PAUSE: Final = 30 * SECOND  # until a provider that was down is asked again
BREAKER_PAUSE_MAX: Final = 10 * MINUTE  # a provider may ask for longer than it will be down
BREAKERS_MAX: Final = 1_000  # push services with failures that are remembered
SENDERS_MAX: Final = 40  # hand-overs under way at once; one campaign alone gets thirty of them
OUTBOX_WALK_MAX: Final = 20_000  # beyond it schedules wait: the room is for what cannot
QUIET_SPREAD: Final = 10 * MINUTE  # sends held by quiet hours go over so long after their end
HELD_MAX: Final = 72 * HOUR  # campaign-facts.md 4.4: then a send held by a rate limit is dropped
WALK_USERS_MAX: Final = 2_000  # of a scheduled campaign at a time, so that others get their turn

# Reports of what became of messages
HOOK_REQUEST_BYTES_MAX: Final = 8 * 1024 * 1024  # some 20,000 events of SendGrid
HOOK_AGE_MAX: Final = DUPLICATE_WINDOW  # a replay within it is known by its ids
HOOK_CLOCK_SKEW: Final = 5 * MINUTE  # a provider's clock may be ahead so much
HOOK_ONCE_MAX: Final = 100_000  # calls remembered that may come once: some ten megabytes
HOOK_FAILURES_PER_MINUTE_MAX: Final = 60  # of one address: a wrong key is seen well before that
CERTIFICATES_MAX: Final = 16  # of SNS, one for each region; Amazon renews them once a year
CERTIFICATE_LIFE: Final = 24 * HOUR  # then it is fetched again, in case it was withdrawn
RECEIPT_DETAIL_LENGTH_MAX: Final = 300  # what a mail server said: its first lines are enough
RECEIPT_LINK_LENGTH_MAX: Final = 4_096  # of a click; longer ones no browser is sure to follow

# Mails that report of messages
RETURN_CODE_LIFE: Final = 14 * DAY  # mail servers try for five days, and some for a week
MAIL_REPORT_BYTES_MAX: Final = 1024 * 1024  # of one call; a report stands before what it returns
MAIL_READ_BYTES_MAX: Final = 256 * 1024  # looked into: words, report, and the returned headers
MAIL_PARTS_MAX: Final = 20  # a report has three, and a list or a gateway adds a few around them
MAIL_DEPTH_MAX: Final = 6  # a report in a forwarded mail in a list's; deeper is made to tire us
MAIL_HEADER_BYTES_MAX: Final = 32 * 1024  # long ways make ten kilobytes of Received
MAIL_HEADER_LINES_MAX: Final = 500  # the same in lines: they are what costs time
MAILS_LOOK_MAX: Final = 100  # mails a look, so that a flood of them leaves others their turn
MAILDIR_LOOK_INTERVAL: Final = 3 * SECOND  # a bounce is no hurry, and a listing is cheap
IMAP_LOOK_INTERVAL: Final = 20 * SECOND  # the same, where each look is a call to another's server
MAILS_LEFT_MAX: Final = 10_000  # kept in mind so as not to be read again: bad, or a person's

# The suppression list
SUPPRESSIONS_MAX: Final = 1_000_000  # some 150 MB; past it the oldest bounce makes room
SUPPRESSIONS_PER_CALL_MAX: Final = 10_000  # as events: one write that an append waits for
SUPPRESSION_QUERY_LENGTH_MAX: Final = 320  # as long as an address
PREFERENCE_FORM_BYTES_MAX: Final = 64 * 1024  # two short fields for each group, and some to spare

# Dead letters
DEAD_LETTERS_MAX: Final = 20_000  # messages that failed: some 25 MB, in memory; the oldest go
DEAD_LETTER_LIFE_MAX: Final = 30 * DAY  # then it is old news, and the user's data with it
RETRIES_PER_BLOCK: Final = 200  # each carries an event's properties, which may be 100 kB
LETTERS_NAMED_MAX: Final = 1_000  # in one call; a filter takes them all

# Devices
INBOX_LIFE_MAX: Final = 30 * DAY  # channel-facts.md 1.4: a card's; without expires_after it is it
INBOX_GRACE: Final = 30 * DAY  # after expiry: so long a device may be offline, and report then
INBOX_CARDS_MAX: Final = 250  # channel-facts.md 1.4: a user's feed; the oldest go first
INBOX_IN_APP_MAX: Final = 50  # nobody is shown as many; the oldest are old news
INBOX_PRUNED_MAX: Final = 1_000  # rows in one write, so that an append of the log never waits long

DEVICE_REQUEST_BYTES_MAX: Final = 256 * 1024  # two hundred reports of a kilobyte each
DEVICE_REPORTS_MAX: Final = 200  # events or interactions a call; a queue sends more calls
DEVICE_CALLS_PER_MINUTE_MAX: Final = 600  # of one address, behind which may be a whole office
DEVICE_ADDRESSES_MAX: Final = 10_000  # addresses whose calls are counted; the idlest go
DEVICE_STREAMS_MAX: Final = 5_000  # open pages; a page without a stream asks from time to time

# Virtual phones
PHONE_MESSAGES_MAX: Final = 100  # of one user: weeks of a test user; the oldest go first
PHONES_MESSAGES_MAX: Final = 5_000  # of all: what is tried out by fifty people
PHONES_BYTES_MAX: Final = 64 * 1024 * 1024  # of all: mails may be large
PHONE_STREAMS_MAX: Final = 100  # open pages that look at phones, as for other event streams
PHONE_TOKEN_LIFE: Final = 15 * MINUTE  # a page asks for the next one as long as it is open
PHONES_SIDE_BY_SIDE_MAX: Final = 4  # each takes one of the six connections of a browser
PHONE_LINES_MAX: Final = 30  # of what happened, beside a phone: the timeline has everything
PHONE_MARKS_MAX: Final = 50  # things done on a page whose consequences it tells apart

# Rehearsals: each is the whole program once more, in memory
REHEARSALS_MAX: Final = 5  # at once: some megabytes each, and with the largest mails 80 MB
REHEARSAL_IDLE_MAX: Final = 30 * MINUTE  # a call in between; begun anew it takes a moment
REHEARSAL_LIFE_MAX: Final = 8 * HOUR  # a working day, also for a page that is open and asks
REHEARSAL_LOG_BYTES_MAX: Final = 8 * 1024 * 1024  # weeks of what a few people do
REHEARSAL_CAMPAIGNS_MAX: Final = 2_000  # active ones, copied and compiled: some seconds
REHEARSAL_STOPS_MAX: Final = 100  # in one skip, some 20 ms each; then it says how far it came

# Backtests
BACKTESTS_AT_ONCE_MAX: Final = 2  # each keeps a core busy, if nothing else wants it
BACKTESTS_KEPT_MAX: Final = 50  # results that can still be asked for; some hundred kilobytes each
BACKTEST_EXAMPLES_MAX: Final = 20  # of each kind of decision: a few are read
BACKTEST_ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024  # ten years of days, and events of 100 kB

# Those who sign in
ACCOUNTS_MAX: Final = 1_000  # a company's marketing; their list is one page
SESSIONS_PER_ACCOUNT_MAX: Final = 20  # browsers of one person; the one seen longest ago goes
SESSION_IDLE_MAX: Final = 7 * DAY  # over a week-end nobody signs in anew
SESSION_LIFE_MAX: Final = 30 * DAY  # so long a stolen cookie may be worth something
SESSION_SEEN_EVERY: Final = 5 * MINUTE  # a write for each page would be one too many
FIRST_LINK_LIFE: Final = 24 * HOUR  # the server's output may be read the next morning
INVITATION_LIFE: Final = 72 * HOUR  # sent on a Friday, opened on Monday
EMAIL_LENGTH_MAX: Final = 254  # RFC 5321: a path of 256 with its brackets
ACCOUNT_NAME_LENGTH_MAX: Final = 100  # fits on a line
AGENT_LENGTH_MAX: Final = 255  # of a browser's name for itself: enough to know it again
PASSWORD_LENGTH_MIN: Final = 12  # guessing is limited, and hashes are slow
PASSWORD_LENGTH_MAX: Final = 1_000  # a hash takes as long as its text
PASSWORD_HASHES_AT_ONCE_MAX: Final = 2  # each takes 64 MB and a core for a tenth of a second
SIGN_INS_PER_ADDRESS_MAX: Final = 30  # in five minutes: an office behind one address
SIGN_INS_PER_ACCOUNT_MAX: Final = 10  # in five minutes: nobody mistypes more often
SIGN_IN_WINDOW: Final = 5 * MINUTE  # in it a bucket of tries fills up again
AUDIT_KEPT_MAX: Final = 100_000  # changes: some 20 MB, years of a busy team
AUDIT_TEXT_LENGTH_MAX: Final = 500  # of each text of a change
AUDIT_PAGE_MAX: Final = 50  # changes on one page
FORM_BYTES_MAX: Final = 4 * 1024 * 1024  # eight variants of an email of 400 kB
COMPOSITIONS_MAX: Final = 200  # campaigns being written: a busy team's; the idlest go
COMPOSITION_BYTES_MAX: Final = 4 * 1024 * 1024  # as a form: eight variants of an email of 400 kB
PROFILES_SAMPLED_MAX: Final = 500  # for what attributes there are: some ten milliseconds
ATTRIBUTES_SHOWN_MAX: Final = 100  # of the sampled ones, those that most profiles have
PREVIEW_VALUES_LENGTH_MAX: Final = 4_000  # of made-up values: they are in a frame's address
CONFIRMED_USERS_MIN: Final = 1_000  # above it, whoever publishes types the number
KEYS_MAX: Final = 500  # API keys that are not revoked: all are read once a second
KEY_NAME_LENGTH_MAX: Final = 100  # fits on a line

# Keeping
DONE_MAX: Final = 200  # kinds of acts kept per user and campaign; the oldest go
MESSAGES_KEPT_MAX: Final = 1_000  # per user, for caps: 33 a day for thirty days
TRACKERS_MAX: Final = 5_000  # what filters ever asked about; each is kept for every user
STATES_SCANNED_MAX: Final = 2_000  # at a time by a count over all users: some milliseconds
STATE_CACHE_MAX: Final = 200_000  # decoded user states kept in memory
DIRTY_STATES_MAX: Final = 50_000  # more starts a checkpoint at once
CHECKPOINT_INTERVAL: Final = 5 * SECOND  # bounds what is decided again after a crash
FREE_BYTES_WARNED: Final = 1 << 30  # of the disk: a busy day's log, and the checkpoints beside it
FREE_BYTES_FAILED: Final = 100 * 1024 * 1024  # SQLite's own log may take that between two seconds
FAULTS_TOLD_MAX: Final = 20  # of a damaged database: more say nothing new
CLOCK_BACK_TOLD: Final = 5 * SECOND  # less is how far clocks are set back every day
SNAPSHOT_CHECKED_BYTES_MAX: Final = 2 << 30  # read through after a crash: some seconds at most
TIMERS_AT_ONCE_MAX: Final = 500  # fired before others get their turn: some ten milliseconds
TIMER_HORIZON: Final = 10 * MINUTE  # timers due within it are in memory
LIVE_FEED_MAX: Final = 1_000  # messages kept for a reader that falls behind, or comes back
LIVE_FEED_LINGER: Final = MINUTE  # so long a reader may be away; a page reconnects in seconds
COUNTS_MAX: Final = 4  # audiences counted at once: each walks over all users
COUNTS_KEPT_MAX: Final = 100  # counts that came to an end, for whoever asks later
SAMPLE_USERS_MAX: Final = 10  # of an audience, to look at: more are not read
SUGGESTED_MAX: Final = 300  # names offered in one field: some kilobytes of every form with it
SUGGESTION_USERS_MAX: Final = 200  # profiles whose attributes are offered: some milliseconds
SUGGESTION_BLOCKS_MAX: Final = 20  # of the log's end, whose events are offered,
SUGGESTION_EVENTS_MAX: Final = 2_000  # and how many of those: a busy second, and milliseconds
SUGGESTION_LIFE: Final = 5 * SECOND  # a form that is edited comes again with every choice
STREAMS_MAX: Final = 100  # open event streams
IDEMPOTENCY_KEYS_MAX: Final = 10_000  # answers kept for a repeated write
EXPLAINED_STEPS_MAX: Final = 5_000  # of one explanation: some megabytes, and nobody reads more
DECISION_BLOCKS_MAX: Final = 400  # blocks of decisions read for a page: half an hour's, 20 ms
DECISIONS_READ_MAX: Final = 30_000  # and so many decisions in them, some 50 ms in a thread
DECISIONS_PAGE_MAX: Final = 50  # decisions on a page
DECISIONS_CSV_MAX: Final = 5_000  # decisions in a file: what a spreadsheet shows at once
WAITERS_PAGE_MAX: Final = 50  # users who wait on a page
CAMPAIGNS_PAGE_MAX: Final = 50  # campaigns on a page: each costs a read of its counters
CONNECTIONS_PAGE_MAX: Final = 100  # connections in one table
DRAWN_NODES_MAX: Final = 150  # of the graph: more is a carpet, so tags stand for their campaigns
DRAWN_EDGES_MAX: Final = 600  # likewise: a follower of "any" follows every campaign there is
CAMPAIGNS_CHANGED_MAX: Final = 100  # stopped or archived by one form; each is an entry of the log

TIMELINE_PAGE_MAX: Final = 50  # lines of a timeline at once: some screens
TIMELINE_FIELDS_MAX: Final = 200  # of one line: an event may have thousands of properties
ACTIVITY_NEWEST_MAX: Final = 100  # decisions shown before the live ones come: some screens
ACTIVITY_BLOCKS_MAX: Final = 100  # of decisions, looked through for them: a second of a busy day
ACTIVITY_BATCH_MAX: Final = 50  # lines sent to a page at once, four times a second
ACTIVITY_SHOWN_MAX: Final = 1_000  # lines that a page keeps: more slow a browser down
FAILURES_DAYS: Final = 7  # how far back failures are added up
USERS_FOUND_MAX: Final = 20  # by the beginning of an id
WHY_CAMPAIGNS_MAX: Final = 500  # to choose from; of the others one writes the slug

# Counting
UPLIFT_USERS_MIN: Final = 100  # semantics.md 7: in a smaller arm, chance is most of what is seen
STATS_SPANS_MAX: Final = 1_000  # hours or days at once: six weeks or three years, a wide chart
ANALYTICS_CAMPAIGNS_MAX: Final = 500  # added up for one page: a second or two
ANALYTICS_DAYS_MAX: Final = 732  # two years, and as many before them to compare with
ANALYTICS_COMPARISONS_MAX: Final = 10  # campaigns compared at once: each reads its whole life
STATS_DETAILS_MAX: Final = 1_000  # aliases and the like: clients name them, so any number
