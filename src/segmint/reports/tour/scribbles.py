"""The chapter on scribbles."""

from __future__ import annotations

import numpy as np

from segmint.images import color_of, display_rgb, save_picture
from segmint.images.masks import read_masks
from segmint.methods import DEFAULT_METHOD
from segmint.methods.segment import UNLABELLED
from segmint.reports.page import Figure, Panel, Section
from segmint.reports.photos import PHOTOS
from segmint.reports.pictures import embed
from segmint.reports.tour.parts import overlay_panel, summary
from segmint.reports.tour.setting import Picture, Tour

SCRIBBLED_PHOTO = "cat"

STROKES: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = (
    (0, ((0.15, 0.85), (0.20, 0.25), (0.45, 0.12), (0.74, 0.12), (0.75, 0.45), (0.55, 0.85))),
    (1, ((0.94, 0.08), (0.94, 0.45), (0.88, 0.92))),
    (1, ((0.02, 0.04), (0.03, 0.35))),
)
"""Id and corners of each stroke, x and y as shares of the photo's width and height."""


def scribbles_chapter(tour: Tour) -> Section:
    """A photo with three strokes, and what follows from them."""
    image = tour.photo(SCRIBBLED_PHOTO)
    name = f"{SCRIBBLED_PHOTO}-scribbles"
    scribbles = draw_strokes(image.height, image.width)
    file = tour.pictures / f"{name}.png"
    save_picture(file, scribbles)
    marks = read_masks(file, ignore_index=None)[0]
    result = tour.segment(image, name, DEFAULT_METHOD, scribbles=marks)
    share = (scribbles != UNLABELLED).mean()
    subject = PHOTOS[SCRIBBLED_PHOTO].subject
    return Section(
        title="A few scribbles",
        text=(
            "Where a photo alone cannot say what you are after, a few strokes can. Here "
            f"{len(STROKES)} strokes over {share:.1%} of the pixels say what is cat and what is "
            "not, and every other pixel goes to one of the two.",
        ),
        figures=(
            Figure(
                panels=(
                    Panel(
                        picture=embed(_with_strokes(display_rgb(image.pixels), scribbles)),
                        alt=f"Photo of {subject} with a stroke on the cat and two beside it.",
                        label="strokes: blue on the cat, orange beside it",
                    ),
                    overlay_panel(result, image, SCRIBBLED_PHOTO, summary(result)),
                )
            ),
        ),
    )


def draw_strokes(height: int, width: int) -> Picture:
    """The strokes as a scribble file has them: uint8 (H, W), their ids on ``UNLABELLED``."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    canvas = Pillow.new("L", (width, height), UNLABELLED)
    pen = ImageDraw.Draw(canvas)
    for number, corners in STROKES:
        points = [(x * (width - 1), y * (height - 1)) for x, y in corners]
        pen.line(points, fill=number, width=max(2, round(width / 70)), joint="curve")
    return np.array(canvas)


def _with_strokes(photo: Picture, scribbles: Picture) -> Picture:
    """The photo with strokes in the colors of their ids, edged in white."""
    from scipy.ndimage import binary_dilation

    drawn = photo.copy()
    drawn[binary_dilation(scribbles != UNLABELLED, iterations=2)] = 255
    for number in np.unique(scribbles[scribbles != UNLABELLED]):
        drawn[scribbles == number] = color_of(int(number))
    return drawn
