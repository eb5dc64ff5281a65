"""Webhooks of providers: what they report of messages."""
