"""Virtual phones in the dashboard: what lies on them, and every tap a real interaction."""
