"""How pandas frames lie in Arrow files: their own memory, and notes of what Arrow lacks."""
