"""Where time passes: loops around the pure engine."""
