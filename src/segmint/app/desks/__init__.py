"""What visitors have open, and how it gets there."""
