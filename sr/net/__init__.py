"""Clients of services outside: nothing is fetched from anywhere that was not configured."""
