"""What processes of the page do: one errand, or a few that belong together, a file."""
