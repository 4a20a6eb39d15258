"""The log, and the runs that it tells of."""
