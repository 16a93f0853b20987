"""The last chapter: how to go on."""

from __future__ import annotations

from segmint.reports.page import Command, Section
from segmint.reports.shell import shell_line
from segmint.reports.tour.learning import CLUSTERED_PHOTO
from segmint.reports.tour.scribbles import SCRIBBLED_PHOTO
from segmint.reports.tour.setting import Tour
from segmint.reports.tour.unlabelled import RECUT_PHOTO
from segmint.runs import versions


def how_to_go_on(tour: Tour) -> Section:
    """Commands for the pictures of the page, and the versions that made it."""
    pictures, results = tour.pictures, tour.results
    scribbled = pictures / f"{SCRIBBLED_PHOTO}-scribbles.png"
    commands = (
        (
            "Your own image, or a whole folder of them:",
            ["segment", "photo.jpg"],
        ),
        (
            "The cup of coffee in exactly 6 components:",
            ["segment", pictures / "coffee.png", "--components", 6],
        ),
        (
            "Another cut of a finished result, without a new fit:",
            ["recut", results / RECUT_PHOTO, "--components", 4],
        ),
        (
            "The animation of this page, in a folder of its own:",
            [
                *("segment", pictures / f"{CLUSTERED_PHOTO}.png", "--method", "clustering"),
                *("--frames", "--out", "segmint-film"),
            ],
        ),
        (
            "Scribbles: a PNG with an id on each stroke and 255 everywhere else:",
            ["segment", pictures / f"{SCRIBBLED_PHOTO}.png", "--scribbles", scribbled],
        ),
        (
            "Every score of a result, with its protocol:",
            ["evaluate", results / "made-up-hybrid", pictures / "made-up-mask.png"],
        ),
        ("What else there is:", ["--help"]),
    )
    return Section(
        title="How to go on",
        text=(
            f"The pictures of this page are in {pictures} and all results in {results}: for each "
            "the label map, the overlay, a table of the components and a record of how it was "
            "made.",
        ),
        commands=tuple(
            Command(line=shell_line(words), purpose=purpose) for purpose, words in commands
        ),
        facts=versions(),
    )
