"""The dashboard: pages that the server renders. One module a page; see `registry`."""
