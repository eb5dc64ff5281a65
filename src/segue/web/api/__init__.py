"""The own API, under /api/v1 (interface.md)."""
