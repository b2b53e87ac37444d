"""A project of the other kind: what its steps reach is known only when they run."""
