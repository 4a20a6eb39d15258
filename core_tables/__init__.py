"""The tables that agents live in. Their names and columns are a contract: other programs use them too."""
