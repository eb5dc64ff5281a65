"""Pages of Settings: channels, delivery rules, the suppression list, jobs, the system."""
