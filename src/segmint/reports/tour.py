"""The tour: what segmint does, on pictures that need no download, as one page.

path = make_tour("segmint-demo")
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint import __version__
from segmint.datasets.synthetic import draw_shapes
from segmint.images import Image, color_of, display_rgb, read_image, save_picture
from segmint.images.film import Film
from segmint.images.masks import read_masks
from segmint.methods import DEFAULT_METHOD
from segmint.methods.segment import UNLABELLED, segment
from segmint.methods.segmentation import Segmentation
from segmint.metrics import ScoreRow, evaluate
from segmint.reports.chart import Chart
from segmint.reports.page import Cell, Command, Figure, Page, Panel, Section, Table, write_page
from segmint.reports.photos import CREDITS, PHOTOS, read_photo
from segmint.reports.pictures import embed, embed_film
from segmint.runs import versions

REPORT = "report.html"
"""The page; written last, so that its presence means that the tour is whole."""

UNLABELLED_PHOTOS = ("coins", "astronaut", "coffee", "rocket")
RECUT_PHOTO, RECUTS = "tissue", (3, 6, 12)
CLUSTERED_PHOTO = "coffee"
SCRIBBLED_PHOTO = "cat"
SCORED_METHODS = ("hybrid", "clustering", "felzenszwalb", "kmeans", "slic")
SHAPES: Mapping[str, int] = {"height": 240, "width": 320, "shapes": 12}
"""Size of the made-up picture and number of its shapes."""

FILM_SIDE = 400
"""Frames of the animation are reduced to this many pixels, so that the page stays small."""

Picture = npt.NDArray[np.uint8]
Tell = Callable[[str], None]
"""Called with a line of progress."""


@dataclass(frozen=True, kw_only=True)
class Tour:
    """Where a tour puts its files, and what its chapters share."""

    folder: Path
    seed: int

    @property
    def pictures(self) -> Path:
        """Folder of what is segmented."""
        return self.folder / "pictures"

    @property
    def results(self) -> Path:
        """Folder of the segmentations."""
        return self.folder / "results"

    def photo(self, name: str) -> Image:
        """A photo, written into the folder and read from there as any other."""
        return self.picture(name, read_photo(name))

    def picture(self, name: str, pixels: Picture) -> Image:
        """A picture, written into the folder and read from there as any other."""
        path = self.pictures / f"{name}.png"
        save_picture(path, pixels)
        return read_image(path)

    def segment(self, image: Image, name: str, method: str, **options: Any) -> Segmentation:
        """A segmentation, saved under a name."""
        segmentation = segment(image, method, seed=self.seed, **options)
        segmentation.save(self.results / name, image)
        return segmentation


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
        "photos without labels": _without_labels,
        "the number of components": _recut,
        "a network that learns on one photo": _clustering,
        "scribbles": _scribbles,
        "scores on a made-up picture": _scores,
    }
    sections = []
    for number, (subject, chapter) in enumerate(chapters.items(), start=1):
        if tell is not None:
            tell(f"[{number}/{len(chapters)}] {subject}")
        sections.append(chapter(tour))
    page = Page(
        title="A tour of segmint",
        lead="Image segmentation without labels, from a few scribbles, and scored against a known "
        "truth. Everything on this page was computed on your machine when the tour ran.",
        sections=(*sections, _how_to_go_on(tour)),
        footer=f"segmint {__version__}. {CREDITS}",
    )
    return write_page(tour.folder / REPORT, page)


def _without_labels(tour: Tour) -> Section:
    _load_code([DEFAULT_METHOD])
    figures = []
    for name in UNLABELLED_PHOTOS:
        image = tour.photo(name)
        result = tour.segment(image, name, DEFAULT_METHOD)
        figures.append(
            Figure(
                panels=(
                    _photo_panel(image, name, f"{image.width} x {image.height} pixels"),
                    _panel(result, image, name, _summary(result)),
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


def _recut(tour: Tour) -> Section:
    image = tour.photo(RECUT_PHOTO)
    fit = tour.segment(image, RECUT_PHOTO, DEFAULT_METHOD)
    panels = [_photo_panel(image, RECUT_PHOTO, "photo")]
    for components in RECUTS:
        cut = fit.with_components(components)
        cut.save(tour.results / f"{RECUT_PHOTO}-{components}", image)
        panels.append(_panel(cut, image, RECUT_PHOTO, f"{components} components"))
    return Section(
        title="As many components as you ask for",
        text=(
            f"One fit, which took {fit.seconds:.1f}\u00a0s, keeps the order in which its regions "
            f"join. Cutting that order at {_listing(RECUTS)} components needs no new fit, and a "
            "coarse cut never crosses the outlines of a finer one.",
        ),
        figures=(Figure(panels=tuple(panels)),),
    )


def _clustering(tour: Tour) -> Section:
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
            Figure(panels=(animated, _panel(result, image, CLUSTERED_PHOTO, _summary(result)))),
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


STROKES: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = (
    (0, ((0.15, 0.85), (0.20, 0.25), (0.45, 0.12), (0.74, 0.12), (0.75, 0.45), (0.55, 0.85))),
    (1, ((0.94, 0.08), (0.94, 0.45), (0.88, 0.92))),
    (1, ((0.02, 0.04), (0.03, 0.35))),
)
"""Id and corners of each stroke, x and y as shares of the photo's width and height."""


def _scribbles(tour: Tour) -> Section:
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
                    _panel(result, image, SCRIBBLED_PHOTO, _summary(result)),
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


@dataclass(frozen=True, kw_only=True)
class _Score:
    name: str
    """Of the row that ``evaluate`` gives."""
    title: str
    meaning: str
    sign: int = 1
    """1 where higher is better, -1 where lower is."""


SCORES = (
    _Score(
        name="best_overlap_all",
        title="best overlap",
        meaning="the IoU of each true segment with the component that fits it best",
    ),
    _Score(
        name="covering",
        title="covering",
        meaning="the same, weighted by the areas of the true segments",
    ),
    _Score(
        name="variation_of_information",
        title="VOI (bits)",
        meaning="variation of information, what one partition leaves unsaid about the other",
        sign=-1,
    ),
    _Score(
        name="mean_iou",
        title="mean IoU",
        meaning="each true segment with the one component that it is matched to",
    ),
)


def _scores(tour: Tour) -> Section:
    pixels, mask = draw_shapes(**SHAPES, seed=tour.seed)
    image = tour.picture("made-up", pixels)
    save_picture(tour.pictures / "made-up-mask.png", mask.astype(np.uint8))
    _load_code(SCORED_METHODS)
    results = {
        method: tour.segment(image, f"made-up-{method}", method) for method in SCORED_METHODS
    }
    results["blank"] = _given("blank", np.zeros_like(mask))
    segments = len(np.unique(mask))
    # On a grey ground the colors of the components are not tinted by those of the picture.
    grey = Image.from_array(pixels.mean(axis=-1).astype(np.uint8))
    panels = [
        Panel(
            picture=embed(pixels, exact=True),
            alt=f"A made-up picture of {segments - 1} textured, noisy shapes on a ground.",
            label="made-up picture",
        ),
        _panel(_given("truth", mask), grey, "made-up", f"truth: {segments} segments"),
        *(
            _panel(result, grey, "made-up", f"{method}: {_count(result.components)}")
            for method, result in results.items()
        ),
    ]
    return Section(
        title="Scores against a known truth",
        text=(
            "Whoever draws a picture knows its segments exactly. This one has "
            f"{segments - 1} shapes, from large to small, on a ground; each has a color and a "
            "texture of its own, under uneven light and noise. Every method runs with its "
            "defaults and does not know how many segments there are.",
            "Numbers on one made-up picture tell what the scores mean and which mistakes a method "
            "makes; they do not tell which method is best on your pictures. A blank prediction, "
            "all one component, shows what no work at all earns.",
        ),
        figures=(Figure(panels=tuple(panels)),),
        tables=(_score_table(results, mask),),
    )


def _given(name: str, labels: npt.NDArray[np.int32]) -> Segmentation:
    """Labels that no method computed."""
    return Segmentation(labels=labels, method=name, options={}, seed=0, seconds=float("nan"))


def _score_table(results: Mapping[str, Segmentation], mask: npt.NDArray[np.int32]) -> Table:
    rows = {name: _score_rows(result.labels, mask) for name, result in results.items()}
    columns = [
        _marked([rows[name][score.name].value for name in results], digits=3, sign=score.sign)
        for score in SCORES
    ]
    columns.append(_marked([result.seconds for result in results.values()], digits=2, sign=-1))
    names = [Cell(text=name) for name in results]
    components = [Cell(text=str(result.components)) for result in results.values()]
    protocols = next(iter(rows.values()))
    return Table(
        columns=("method", "components", *(score.title for score in SCORES), "seconds"),
        rows=tuple(zip(names, components, *columns, strict=True)),
        caption="Higher is better, except for VOI and seconds; the best of each column is bold.",
        notes=tuple(
            f"{score.title}: {score.meaning}. Protocol: {protocols[score.name].protocol}."
            for score in SCORES
        ),
    )


def _marked(values: Sequence[float], *, digits: int, sign: int) -> list[Cell]:
    """Cells of a column, the best as they are printed marked; NaN is a dash."""
    printed = [round(value, digits) for value in values]
    best = max(sign * value for value in printed if not math.isnan(value))
    return [
        Cell(
            text="\u2013" if math.isnan(value) else f"{value:.{digits}f}", best=sign * value == best
        )
        for value in printed
    ]


def _score_rows(labels: npt.NDArray[np.int32], mask: npt.NDArray[np.int32]) -> dict[str, ScoreRow]:
    return {row.name: row for row in evaluate(labels, mask).rows()}


def _how_to_go_on(tour: Tour) -> Section:
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
            Command(line=_shell_line(words), purpose=purpose) for purpose, words in commands
        ),
        facts=versions(),
    )


def _shell_line(words: Iterable[object]) -> str:
    return shlex.join(["segmint", *map(str, words)])


def _load_code(methods: Sequence[str]) -> None:
    """Run methods on a speck, so that their first imports do not count as seconds of a picture."""
    speck, _ = draw_shapes(32, 32, shapes=2)
    for method in methods:
        options: dict[str, Any] = {"iterations": 1} if method == "clustering" else {}
        segment(speck, method, **options)


def _photo_panel(image: Image, name: str, label: str) -> Panel:
    return Panel(
        picture=embed(display_rgb(image.pixels)),
        alt=f"Photo of {PHOTOS[name].subject}.",
        label=label,
    )


def _panel(result: Segmentation, image: Image, name: str, label: str) -> Panel:
    """The overlay of a result."""
    subject = f"photo of {PHOTOS[name].subject}" if name in PHOTOS else "made-up picture"
    return Panel(
        picture=embed(result.overlay(image.pixels)),
        alt=f"The {subject} in {_count(result.components)} by color ({result.method}).",
        label=label,
    )


def _summary(result: Segmentation) -> str:
    return f"{result.method}: {_count(result.components)} in {result.seconds:.1f}\u00a0s"


def _count(components: int) -> str:
    return f"{components} component{'' if components == 1 else 's'}"


def _listing(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
