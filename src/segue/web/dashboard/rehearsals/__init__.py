"""Rehearsals in the dashboard: phones whose time can be skipped, apart from everything live."""
