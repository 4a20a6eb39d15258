"""What agents recall of customers: a plugin with tables on two databases."""
