"""The verbs of `penstock stack`."""
