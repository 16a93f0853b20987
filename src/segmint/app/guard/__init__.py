"""What stands before every request: who may ask, for what, from where."""
