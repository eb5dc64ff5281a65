"""The pages of virtual phones, as the registry takes them."""

from segue.web.dashboard.pages import Page
from segue.web.dashboard.phone.frames import show_app, show_mail
from segue.web.dashboard.phone.showing import show_now, show_phone, show_phones, stream_news
from segue.web.dashboard.phone.tapping import make_test_user, send_event, start_session, tap
from segue.web.dashboard.places import PHONE_PATH

PAGE = Page(
    PHONE_PATH,
    "Phone",
    (
        show_phones,
        make_test_user,
        show_phone,
        show_now,
        stream_news,
        show_mail,
        show_app,
        tap,
        send_event,
        start_session,
    ),
    group="Insight",
    icon="smartphone",
    key="p",
    samples=(
        PHONE_PATH,
        "/phone/ada",
        "/phone/ada?view=mail",
        "/phone?users=ada,ben,nobody-has-this-id",
    ),
)
