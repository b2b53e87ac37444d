"""The outside world: files and folders that a store only refers to."""
