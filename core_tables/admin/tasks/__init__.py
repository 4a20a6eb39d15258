"""Tasks: what waits, runs and failed, and what operators do about it."""
