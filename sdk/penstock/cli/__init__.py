"""The command line: one file for each noun. Results go to stdout, the rest to stderr."""
