"""Explaining: why a step ran, and what is different between two runs, by what the store says."""
