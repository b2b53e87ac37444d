"""Fingerprints: what code does, as a digest, and what of the project it reaches."""
