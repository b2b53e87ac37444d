"""Edits of a penstock.yaml that touch what they mean and leave every other byte as it was."""
