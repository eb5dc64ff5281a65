"""The terminal: the same services, with progress bars."""
