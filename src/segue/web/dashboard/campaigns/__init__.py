"""Campaigns in the dashboard: their list, each one's page with its tabs, and what is done to them.

`listing` is the list, `changing` the forms that stop and archive, `frame` what the tabs share.
"""
