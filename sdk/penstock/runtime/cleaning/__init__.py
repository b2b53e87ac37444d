"""Cleaning: which runs, cache entries and objects of a store nobody needs any more."""
