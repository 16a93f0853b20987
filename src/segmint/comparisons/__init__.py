"""Compare recipes and methods fairly: same data, same budget, several seeds, one table."""
