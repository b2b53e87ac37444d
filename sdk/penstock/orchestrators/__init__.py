"""The orchestrators that ship with penstock."""
