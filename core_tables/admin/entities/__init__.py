"""Who there is, what is known of them, and who stands to whom how."""
