"""The page in Gradio: what stands where, and what each part does."""
