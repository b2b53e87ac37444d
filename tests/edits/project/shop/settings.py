"""Constants of the project."""

RATE = 0.5
CHAINED = {"rate": {"low": [1, 2]}}
UNUSED = 1
