"""Who may see what, for which purpose, until when. Pure: no disk, no clock, no network."""
