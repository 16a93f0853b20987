"""Chapters on photos without labels: the default method, and as many components as wanted."""

from __future__ import annotations

from collections.abc import Sequence

from segmint.methods import DEFAULT_METHOD
from segmint.reports.page import Figure, Section
from segmint.reports.tour.parts import overlay_panel, photo_panel, summary
from segmint.reports.tour.setting import Tour, load_code

UNLABELLED_PHOTOS = ("coins", "astronaut", "coffee", "rocket")
RECUT_PHOTO, RECUTS = "tissue", (3, 6, 12)


def without_labels(tour: Tour) -> Section:
    """Photos beside what the default method makes of them."""
    load_code([DEFAULT_METHOD])
    figures = []
    for name in UNLABELLED_PHOTOS:
        image = tour.photo(name)
        result = tour.segment(image, name, DEFAULT_METHOD)
        figures.append(
            Figure(
                panels=(
                    photo_panel(image, name, f"{image.width} x {image.height} pixels"),
                    overlay_panel(result, image, name, summary(result)),
                )
            )
        )
    return Section(
        title="Photos without labels",
        text=(
            f"The default method, {DEFAULT_METHOD}, needs no labels and no training of yours. It "
            "finds boundaries, cuts the photo into small regions along them, and joins neighbors "
            "by a rule that was fitted once to hand-drawn outlines of other photos (BSDS500). "
            "Every component has its own color and outline; the colors mean nothing else.",
        ),
        figures=tuple(figures),
    )


def recut(tour: Tour) -> Section:
    """One fit, cut into more and more components."""
    image = tour.photo(RECUT_PHOTO)
    fit = tour.segment(image, RECUT_PHOTO, DEFAULT_METHOD)
    panels = [photo_panel(image, RECUT_PHOTO, "photo")]
    for components in RECUTS:
        cut = fit.with_components(components)
        cut.save(tour.results / f"{RECUT_PHOTO}-{components}", image)
        panels.append(overlay_panel(cut, image, RECUT_PHOTO, f"{components} components"))
    return Section(
        title="As many components as you ask for",
        text=(
            f"One fit, which took {fit.seconds:.1f}\u00a0s, keeps the order in which its regions "
            f"join. Cutting that order at {_listing(RECUTS)} components needs no new fit, and a "
            "coarse cut never crosses the outlines of a finer one.",
        ),
        figures=(Figure(panels=tuple(panels)),),
    )


def _listing(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
