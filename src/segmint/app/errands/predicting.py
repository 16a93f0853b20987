"""The errand ``predict``: answer an image by runs that were trained, as the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.app.errand import Telling
from segmint.app.errands.answers import write_answer
from segmint.app.errands.held_images import opened_image
from segmint.app.errands.opened_runs import RunChoice, described, opened, places_hidden
from segmint.app.errands.result_links import link_result
from segmint.errors import UsageError
from segmint.images.palettes import colors_of, to_hex

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation
    from segmint.recipes.answering import Answering


def predict_picture(
    telling: Telling,
    *,
    path: str,
    name: str,
    fit: str,
    result: str,
    views: str,
    places: Sequence[str],
    peer: str | None = None,
    tta: Sequence[str] = (),
    tta_scales: Sequence[float] = (0.75, 1.25),
    uncertainty: bool = False,
    device: str = "auto",
    precision: str = "auto",
    large: bool = False,
    max_memory: str | None = None,
) -> dict[str, Any]:
    """Answer an image by a run, an exported file, or several of them together.

    Args:
        telling: of how it goes.
        path: the image.
        name: of the image, as its visitor knows it.
        fit: folder for the result as it was computed.
        result: folder for the files that are offered.
        views: folder for the views of this answer.
        places: folders of runs and exported files, which never come from a visitor.
        peer: of a run with several networks the one that answers, or an ensemble of them.
        tta: ``flips``, ``rotations``, ``scales``: from how many sides the image is looked at.
        tta_scales: the sizes of ``scales``.
        uncertainty: also where the networks that answer together disagree.
        device: where networks compute.
        precision: of their arithmetic.
        large: answer window by window.
        max_memory: what the process may hold, as ``2GiB``.

    Returns:
        What :func:`segmint.app.errands.answers.write_answer` says; classes that do not occur stand
        in the legend with 0 pixels.

    Raises:
        InputError: for an image or a run that cannot be used.
        UsageError: for an option that the run does not take.
    """
    from segmint.cli.predict_options import PredictOptions

    options = PredictOptions(
        peer=peer, tta=tuple(tta), tta_scales=tuple(tta_scales), uncertainty=uncertainty
    )
    choice = RunChoice(
        places=tuple(places),
        peer=options.peer,
        tta=options.tta,
        tta_scales=options.tta_scales,
        device=device,
        precision=precision,
        max_memory=max_memory,
    )
    folders = {"fit": Path(fit), "result": Path(result), "views": Path(views)}
    if large:
        from segmint.app.errands.large_images import predict_large

        return predict_large(
            telling, Path(path), name, **folders, choice=choice, uncertainty=uncertainty
        )
    with places_hidden(places):
        answering = opened(choice)
        check_uncertainty(answering, asked=uncertainty)
        image = opened_image(Path(path), name)
        found = _answered(answering, image, uncertainty=uncertainty)
    return _written(found, image, **folders)


def check_uncertainty(answering: Answering, *, asked: bool) -> None:
    """Refuse to say where one network disagrees with itself.

    Raises:
        UsageError: says what has several.
    """
    if asked and not answering.are_several:
        raise UsageError(
            f"a {answering.method} has one network, which has none to disagree with: leave out "
            "--uncertainty, give a run of mutual, or further runs with --also"
        )


def _answered(answering: Answering, image: Image, *, uncertainty: bool) -> Segmentation:
    found = answering.segment(image)
    if uncertainty and found.compute_uncertainty is None:
        raise UsageError(
            f"{found.options.get('peer')} learned alone and has no other twin to disagree "
            "with: leave out --uncertainty, or ask another --peer"
        )
    guides = {"uncertainty": True} if uncertainty else {}
    return replace(
        found, uncertainty_map=uncertainty, options={**described(found.options), **guides}
    )


def _written(
    found: Segmentation, image: Image, *, fit: Path, result: Path, views: Path
) -> dict[str, Any]:
    from segmint.reports.panel_files import panel_files

    found.save(fit, image, files=panel_files(image, found))
    link_result(fit, result)
    facts = write_answer(found, image, views=views, result=result, can_change=False)
    return {**facts, "legend": _with_absent(facts["legend"], found)}


def _with_absent(legend: Sequence[dict[str, Any]], found: Segmentation) -> list[dict[str, Any]]:
    """Classes that an answer could have had, too: their probabilities are shown by their names."""
    rows = {row["id"]: row for row in legend}
    for label, name in found.names.items():
        color = colors_of(label) if found.colors is None else found.colors[label]
        red, green, blue = color.tolist()
        absent = {"color": to_hex((red, green, blue)), "pixels": 0, "fraction": 0.0}
        rows.setdefault(label, {"id": label, "name": name, **absent})
    return [rows[label] for label in sorted(rows)]
