"""Remembering. The only layer with SQL."""
