"""The server: where it listens, and what it answers past Gradio."""
