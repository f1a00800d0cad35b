"""The patient's app."""
