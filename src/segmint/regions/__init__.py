"""Regions: adjacency, merge trees and what is built on them."""
