"""The chapter on a made-up heart: mixtures on three magnetic resonance sequences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segmint.datasets.myops import MEANS, prepare_myops
from segmint.datasets.prepared_folder import prepared_images
from segmint.datasets.synthetic import write_hearts
from segmint.images import Image, read_image
from segmint.images.maps import entropy_of
from segmint.methods.segment import segment
from segmint.methods.segmentation import Segmentation
from segmint.metrics import Confusion, confusion
from segmint.reports.chart import Chart
from segmint.reports.page import Cell, Command, Figure, Panel, Section, Table
from segmint.reports.panels import IGNORED, panels_png
from segmint.reports.pictures import embed
from segmint.reports.shell import shell_line
from segmint.reports.tour.heart_pictures import HeartPictures, draw_key
from segmint.reports.tour.parts import marked
from segmint.reports.tour.setting import Tour, load_code

TRAINING_PATIENTS, TEST_PATIENT = (101, 102, 103), 109
"""The means of the classes come from the first; of the last, one slice is segmented."""

HEARTS: Mapping[str, Any] = {"slices": 4}
"""How the hearts are drawn."""

SHORT_FIT: Mapping[str, Any] = {
    "lam": 1,
    "learning_rate": 0.002,
    "max_epochs": 40,
    "features": 16,
}
"""A smaller network and fewer, larger steps than the defaults, to take seconds."""

MIXTURES: Mapping[str, Mapping[str, Any]] = {
    "em-gmm": {},
    "em-svgmm": {},
    "deepg": SHORT_FIT,
    "deepsvg": SHORT_FIT,
}
"""Methods of the table, with their options beside the known means."""

SHOWN = ("em-gmm", "deepsvg")


@dataclass(frozen=True, kw_only=True)
class _Heart:
    """One slice, what the known classes look like, and what the methods made of it."""

    source: Path
    prepared: Path
    image: Image
    results: Mapping[str, Segmentation]

    @property
    def means(self) -> Path:
        """The means of the classes."""
        return self.prepared / MEANS

    @property
    def most_entropy(self) -> float:
        """Bits where all classes are equally likely."""
        return math.log2(len(self.image.class_names))

    def score(self, result: Segmentation) -> Confusion:
        """Pixels of each class by what was found; the known means say which class is which."""
        assert self.image.mask is not None
        return confusion(result.labels, self.image.mask, classes=len(self.image.class_names))


def heart_chapter(tour: Tour) -> Section:
    """A made-up heart in three sequences, by mixtures that know the means of its classes."""
    heart = _segmented(tour)
    return Section(
        title="A made-up heart: mixtures on three MR sequences",
        text=(
            "These hearts are drawn in code, in three magnetic resonance sequences, and written to "
            f"{heart.source} in the layout of MyoPS 2020. From there on all runs as it does with "
            "the real data set: slices are cut about the heart, and those of the patients "
            f"{TRAINING_PATIENTS[0]} to {TRAINING_PATIENTS[-1]} give the mean of each class. What "
            f"you see is one slice of patient {TEST_PATIENT}, who is not among them.",
            "A mixture says of every pixel how likely each class is. Here all four methods know "
            "the means. em-gmm judges every pixel by itself. deepsvg fits a small U-Net to this "
            "one slice, and its own means are drawn to those that are known. Its entropy says "
            f"where it is undecided: 0 bits is certain, {heart.most_entropy:g} bits is a guess "
            f"among {len(heart.image.class_names)} classes.",
            "One slice of made-up data is no evidence that a method is better: the classes were "
            "drawn with smooth outlines and strong noise, which suits a network, and its fit was "
            "cut short. Tables over many slices, and what they were measured on, are in "
            "docs/benchmarks.md of the source.",
        ),
        figures=(
            Figure(
                panels=_panels(heart),
                caption=f"In {tour.results}, panels.png of heart-em-gmm to heart-deepsvg shows "
                "sequences, prediction and truth in one row.",
            ),
        ),
        charts=(_chart(heart.results["deepsvg"]),),
        tables=(_table(heart),),
        commands=_commands(heart, tour),
    )


def _segmented(tour: Tour) -> _Heart:
    source, prepared = tour.folder / "hearts", tour.folder / "prepared"
    write_hearts(source, patients=(*TRAINING_PATIENTS, TEST_PATIENT), seed=tour.seed, **HEARTS)
    prepare_myops(source, prepared, overwrite=True)
    slices = prepared_images(prepared, "test")
    image = read_image(slices[len(slices) // 2])
    load_code(tuple(MIXTURES))
    results = {}
    for method, options in MIXTURES.items():
        known = str(prepared / MEANS)
        results[method] = segment(image, method, seed=tour.seed, mu_data=known, **options)
        _save(results[method], image, tour.results / f"heart-{method}")
    return _Heart(source=source, prepared=prepared, image=image, results=results)


def _save(result: Segmentation, image: Image, folder: Path) -> None:
    """Keep a result with the picture of sequences, prediction and truth."""
    picture = panels_png(image, result.labels, image.mask, names=result.names)
    result.save(folder, image, files={"panels.png": picture})


def _panels(heart: _Heart) -> tuple[Panel, ...]:
    pictures, names, most = HeartPictures(heart.image), heart.image.class_names, heart.most_entropy
    truth = heart.image.mask
    undecided = heart.results["deepsvg"].probabilities
    assert truth is not None and undecided is not None
    drawn = [
        (title, f"The slice in the sequence {title}, in grey.", picture)
        for title, picture in pictures.sequences()
    ]
    drawn.append(
        (
            "truth",
            f"The true classes by color: {_listed(names)}.",
            pictures.classes(np.where(truth == IGNORED, -1, truth)),
        )
    )
    drawn += [
        (
            method,
            f"The classes that {method} finds.",
            pictures.classes(heart.results[method].labels),
        )
        for method in SHOWN
    ]
    drawn.append(
        (
            "entropy of deepsvg",
            f"Map of the entropy of deepsvg, from 0 to {most:g} bits, dark to bright.",
            pictures.entropy(entropy_of(undecided), most),
        )
    )
    key = f"Key: the colors of {_listed(names)}, and the scale of the entropy, 0 to {most:g} bits."
    drawn.append(("key to the colors", key, draw_key(names, most)))
    return tuple(
        Panel(picture=embed(picture, exact=True), alt=alt, label=label)
        for label, alt, picture in drawn
    )


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _chart(result: Segmentation) -> Chart:
    nll = [row["nll"] for row in result.history]
    fall = f"from {nll[0]:.2f} to {nll[-1]:.2f} nats a pixel in {len(nll)} epochs"
    return Chart(
        x=[row["iteration"] for row in result.history],
        y=nll,
        x_title="epoch",
        y_title="NLL (nats a pixel)",
        from_zero=False,
        alt=f"Curve of the negative log-likelihood of deepsvg, {fall}.",
        caption=f"Negative log-likelihood (NLL) of deepsvg, {fall}.",
    )


def _table(heart: _Heart) -> Table:
    results = heart.results
    dice = np.array([heart.score(result).dice for result in results.values()])
    nll = [f"{result.history[-1]['nll']:.2f}" for result in results.values()]
    return Table(
        columns=("method", *heart.image.class_names, "NLL", "seconds"),
        rows=tuple(
            zip(
                (Cell(text=name) for name in results),
                *(marked(column, digits=3, sign=1) for column in dice.T.tolist()),
                (Cell(text=value) for value in nll),
                marked([result.seconds for result in results.values()], digits=2, sign=-1),
                strict=True,
            )
        ),
        caption="Dice of each class, higher is better; the best Dice and seconds are bold.",
        notes=(
            "Dice: twice the pixels that prediction and truth share, over the pixels of both. The "
            "known means say which component is which class, so nothing is matched to the truth.",
            "NLL: negative log-likelihood in nats a pixel at the end of the fit. Compare em-gmm "
            "with deepg, and em-svgmm with deepsvg: the latter two give each pixel weights of its "
            "own and so come out lower. A lower NLL is not a better segmentation.",
            "seconds: one run, without the time that loading code takes.",
        ),
    )


def _commands(heart: _Heart, tour: Tour) -> tuple[Command, ...]:
    slice_file = heart.image.source
    known = ("--mu-data", heart.means)
    fit = [
        word for name, value in SHORT_FIT.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    seed = ("--seed", tour.seed) if tour.seed else ()
    run = "segmint-heart-run"
    commands: tuple[tuple[str, tuple[object, ...]], ...] = (
        (
            "Crops of a data set in this layout, and the means of its classes:",
            ("data", "prepare", "myops", heart.source, heart.prepared),
        ),
        (
            "The fit of this page, with its probabilities and entropy as files:",
            (
                *("segment", slice_file, "--method", "deepsvg", *known, *fit, *seed),
                *("--out", "segmint-heart"),
            ),
        ),
        (
            "One network for all training slices, which takes minutes:",
            ("train", "deepsvg", heart.prepared, *known, *seed, "--out", run),
        ),
        (
            "What that network says of a slice that it never saw:",
            ("predict", run, slice_file),
        ),
    )
    return tuple(Command(line=shell_line(words), purpose=purpose) for purpose, words in commands)
