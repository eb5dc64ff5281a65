"""The users' pages, as the registry takes them."""

from segue.web.dashboard.pages import Page
from segue.web.dashboard.places import USERS_PATH, WHY_PATH
from segue.web.dashboard.users.doing import (
    erase,
    send_event,
    set_attribute,
    show_doing,
    subscribe,
)
from segue.web.dashboard.users.listing import find, show_users
from segue.web.dashboard.users.looking import give_export, show_inbox, show_profile, show_timeline
from segue.web.dashboard.users.why import ask_why, show_why

PAGE = Page(
    USERS_PATH,
    "Users",
    (
        show_users,
        show_profile,
        show_timeline,
        show_inbox,
        give_export,
        show_why,
        show_doing,
        send_event,
        set_attribute,
        subscribe,
        erase,
    ),
    group="Audience",
    icon="user",
    key="u",
    samples=(
        USERS_PATH,
        "/users?q=nobody-has-this-id",
        "/users/ada",
        "/users/ada/timeline",
        "/users/ada/why?campaign=spring-sale",
        "/users/ada/inbox",
        "/users/ada/do",
    ),
    find=find,
)
WHY_PAGE = Page(WHY_PATH, "Why?", (ask_why,), is_in_navigation=False, samples=(WHY_PATH,))
