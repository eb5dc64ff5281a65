"""Why a user got a campaign, or did not: an account of the log made into sentences."""
