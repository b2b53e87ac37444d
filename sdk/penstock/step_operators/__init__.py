"""The step operators that come with penstock."""
