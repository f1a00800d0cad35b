"""Clinical knowledge without disk or clock, shared with the receiving side."""
