"""What documents are made from, and the drafts that come of it."""
