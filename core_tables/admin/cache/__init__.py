"""What agents keep in their caches."""
