"""What users call: pipelines, and their command lines."""
