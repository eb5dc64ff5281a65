"""Synthetic people for the demo."""
