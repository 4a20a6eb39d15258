"""As of the release before."""
