"""Holds plugins."""
