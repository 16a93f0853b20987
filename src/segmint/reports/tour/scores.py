"""The chapter on scores against a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmint.datasets.synthetic import draw_shapes
from segmint.images import Image, save_picture
from segmint.methods.segmentation import Segmentation
from segmint.metrics import ScoreRow, evaluate
from segmint.reports.page import Cell, Figure, Panel, Section, Table
from segmint.reports.pictures import embed
from segmint.reports.tour.parts import counted, marked, overlay_panel
from segmint.reports.tour.setting import Tour, load_code

SCORED_METHODS = ("hybrid", "clustering", "felzenszwalb", "kmeans", "slic")
SHAPES: Mapping[str, int] = {"height": 240, "width": 320, "shapes": 12}
"""Size of the made-up picture and number of its shapes."""


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


def scores_chapter(tour: Tour) -> Section:
    """A made-up picture by several methods, and how each is scored."""
    pixels, mask = draw_shapes(**SHAPES, seed=tour.seed)
    image = tour.picture("made-up", pixels)
    save_picture(tour.pictures / "made-up-mask.png", mask.astype(np.uint8))
    load_code(SCORED_METHODS)
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
        overlay_panel(_given("truth", mask), grey, "made-up", f"truth: {segments} segments"),
        *(
            overlay_panel(result, grey, "made-up", f"{method}: {counted(result.components)}")
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
        marked([rows[name][score.name].value for name in results], digits=3, sign=score.sign)
        for score in SCORES
    ]
    columns.append(marked([result.seconds for result in results.values()], digits=2, sign=-1))
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


def _score_rows(labels: npt.NDArray[np.int32], mask: npt.NDArray[np.int32]) -> dict[str, ScoreRow]:
    return {row.name: row for row in evaluate(labels, mask).rows()}
