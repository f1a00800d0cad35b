"""What a clinician sees in a browser."""
