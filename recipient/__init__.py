"""The receiving side: a clinic or a registry."""
