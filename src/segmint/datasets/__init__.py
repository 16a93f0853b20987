"""Where images and masks come from: one file a layout, and data made in code."""
