"""Artifacts: stores move buffers under keys, materializers turn values into buffers."""
