"""Formats, one per file. `registry` knows which there are; none is loaded before it is needed."""
