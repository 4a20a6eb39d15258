"""Agents: their pages, and the dashboard of each."""
