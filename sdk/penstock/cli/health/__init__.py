"""What a run depends on, looked at: the installation, the files, the stack, the machine."""
