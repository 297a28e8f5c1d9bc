"""What stands between a caller and a route: who it is, what it may, and how much of it."""
