"""What peers and their ensembles are called."""

from __future__ import annotations

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
"""What a peer may be called; files bear it, and a slash parts it from other words in a table."""

ENSEMBLE = "ensemble"
"""Name of the mean of all peers that learn from each other."""

SOLO = "-solo"
"""After the name of a peer, and of the ensemble: its twin that learns alone."""
