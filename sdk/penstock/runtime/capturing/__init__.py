"""Capturing: what is printed in a run, by Python, C and other programs, finds its step's log."""
