"""Users in the dashboard: finding them, and each one's page with its tabs.

`listing` finds users, `frame` is what the tabs share, `doing` the forms that do something.
"""
