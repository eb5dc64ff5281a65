"""Activity in the dashboard: what happens just now, and what did not go out."""
