"""The tour from its first chapter to the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from segmint import __version__
from segmint.reports.page import Page, Section, write_page
from segmint.reports.photos import CREDITS
from segmint.reports.tour.cells import cells_chapter
from segmint.reports.tour.heart import heart_chapter
from segmint.reports.tour.learning import clustering
from segmint.reports.tour.outlook import how_to_go_on
from segmint.reports.tour.scores import scores_chapter
from segmint.reports.tour.scribbles import scribbles_chapter
from segmint.reports.tour.setting import Tour
from segmint.reports.tour.unlabelled import recut, without_labels

REPORT = "report.html"
"""The page; written last, so that its presence means that the tour is whole."""

Tell = Callable[[str], None]
"""Called with a line of progress."""


def make_tour(folder: str | Path, *, seed: int = 0, tell: Tell | None = None) -> Path:
    """Segment the tour's pictures in several ways and show it all on one page.

    Args:
        folder: made when missing; gets the page, the pictures and every result.
        seed: of everything random.
        tell: called with a short line before each chapter.

    Returns:
        The page.

    Raises:
        InputError: when the installed scikit-image comes without its photos.
        OutputError: when a file cannot be written.
    """
    tour = Tour(folder=Path(folder), seed=seed)
    chapters: Mapping[str, Callable[[Tour], Section]] = {
        "photos without labels": without_labels,
        "the number of components": recut,
        "a network that learns on one photo": clustering,
        "scribbles": scribbles_chapter,
        "scores on a made-up picture": scores_chapter,
        "a made-up heart": heart_chapter,
        "a U-Net on made-up cells": cells_chapter,
    }
    sections = []
    for number, (subject, chapter) in enumerate(chapters.items(), start=1):
        if tell is not None:
            tell(f"[{number}/{len(chapters)}] {subject}")
        sections.append(chapter(tour))
    page = Page(
        title="A tour of segmint",
        lead="Image segmentation without labels, from a few scribbles, and from masks, scored "
        "against a known truth. Everything on this page was computed on your machine when the tour "
        "ran.",
        sections=(*sections, how_to_go_on(tour)),
        footer=f"segmint {__version__}. {CREDITS}",
    )
    return write_page(tour.folder / REPORT, page)
