"""Verbs: pure functions over the model. No clock, no randomness, no I/O."""
