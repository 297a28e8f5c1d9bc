"""Use cases that read and judge: checks, their facts, and how others repeat them."""
