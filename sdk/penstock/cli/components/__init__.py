"""What can be done with the components of a category: one command each, for every category."""
