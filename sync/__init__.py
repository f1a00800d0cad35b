"""How permitted data travel: wire types and steps for both ends."""
