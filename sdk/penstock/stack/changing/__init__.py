"""Changing what penstock.yaml says: the verbs, what they accept, and the file being edited."""
