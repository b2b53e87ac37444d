"""Bench: how fast an artifact store is, beside the bare place that it lies in."""
