"""The questions of `-i`: forms for components and stacks, filled in on a terminal."""
