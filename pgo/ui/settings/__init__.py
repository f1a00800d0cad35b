"""Parts of the settings: what its first page lists, and the cards behind it."""
