"""Connections in the dashboard: the graph of campaigns, its table, and how to follow one.

`reading` finds what a page is about, `picture` says it for the drawing, `routes` are the pages.
"""
