"""Segment images with labels, with a few, or with none, and prove how well."""

__version__ = "0.1.0"
