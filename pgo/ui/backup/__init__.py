"""Parts of the screens about backups."""
