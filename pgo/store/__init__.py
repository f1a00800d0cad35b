"""The encrypted store. Fails closed, never recreates."""
