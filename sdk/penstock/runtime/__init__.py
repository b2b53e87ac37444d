"""Carrying runs out: plan, execute, record, cache."""
