"""Elsewhere: steps that run in processes of their own, seen from both sides."""
