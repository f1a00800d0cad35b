"""Bytes in, bytes out: keys, signatures, sealing. Knows nothing of health, consent or the network."""
