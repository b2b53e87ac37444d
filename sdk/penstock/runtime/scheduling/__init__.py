"""Scheduling: pipelines that an engine elsewhere starts by the clock."""
