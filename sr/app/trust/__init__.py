"""Use cases that keep what a site trusts, and what is known of revocation."""
