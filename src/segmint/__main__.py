"""``python -m segmint`` is ``segmint``."""

from segmint.cli import main

main()
