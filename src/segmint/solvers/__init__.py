"""Solvers: what makes an objective better, on one image or on many."""
