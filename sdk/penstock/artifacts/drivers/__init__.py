"""Drivers: fsspec's file systems, each with what is known of how it writes."""
