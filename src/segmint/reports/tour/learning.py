"""The chapter on a network that learns on one photo."""

from __future__ import annotations

from segmint.images import display_rgb
from segmint.images.film import Film
from segmint.reports.chart import Chart
from segmint.reports.page import Figure, Panel, Section
from segmint.reports.photos import PHOTOS
from segmint.reports.pictures import embed_film
from segmint.reports.tour.parts import overlay_panel, summary
from segmint.reports.tour.setting import Tour

CLUSTERED_PHOTO = "coffee"

FILM_SIDE = 400
"""Frames of the animation are reduced to this many pixels, so that the page stays small."""


def clustering(tour: Tour) -> Section:
    """An animation of components that merge, and their number by iteration."""
    image = tour.photo(CLUSTERED_PHOTO)
    name = f"{CLUSTERED_PHOTO}-clustering"
    film = Film(display_rgb(image.pixels), longest_side=FILM_SIDE)
    result = tour.segment(
        image,
        name,
        "clustering",
        observe=lambda iteration, labels: film.add(iteration, film.draw(labels)),
    )
    film.write(tour.results / name / "progress.gif")
    iterations = [row["iteration"] for row in result.history]
    counts = [row["components"] for row in result.history]
    evolution = f"from {counts[0]:.0f} to {counts[-1]:.0f} in {iterations[-1]:.0f} iterations"
    animated = Panel(
        picture=embed_film(film),
        alt=f"Animation of {PHOTOS[CLUSTERED_PHOTO].subject}: components merge, {evolution}.",
        label=f"iterations 1 to {iterations[-1]:.0f}",
    )
    return Section(
        title="A network that learns on one photo",
        text=(
            "The method clustering starts with a small network that gives every pixel one of 100 "
            "components at random. It then learns, on this photo alone, that similar pixels and "
            "neighbors belong together, and components disappear (Kim, Kanezaki and Tanaka, 2020). "
            "It learns on a reduced copy; the result follows the photo's own boundaries.",
        ),
        figures=(
            Figure(
                panels=(animated, overlay_panel(result, image, CLUSTERED_PHOTO, summary(result)))
            ),
        ),
        charts=(
            Chart(
                x=iterations,
                y=counts,
                x_title="iteration",
                y_title="components",
                alt=f"Curve of the number of components, {evolution}.",
                caption=f"Components that remain: {evolution}.",
            ),
        ),
    )
