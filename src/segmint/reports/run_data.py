"""The chapter on what a run learned from: how much there is, of which classes, and some of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from segmint.images import to_hex
from segmint.reports.class_legend import class_entries
from segmint.reports.class_picture import UNCOUNTED, class_picture, resized, shown_size, viewable
from segmint.reports.data_survey import Survey
from segmint.reports.page import Bar, Bars, Figure, Panel, Section, Slider
from segmint.reports.pictures import embed, embed_drawn

MOST_BARS = 40
"""Classes whose share is drawn; of more, those with the most pixels."""

_SIDE = 320
_LEAST_PERCENT = 0.1


def data_section(record: Mapping[str, Any], survey: Survey | None) -> Section:
    """The chapter.

    Args:
        record: of the run.
        survey: of what it learned from, or None.
    """
    facts = dict(_facts(record, survey))
    if survey is None:
        return Section(title="Data", facts=facts)
    dataset = survey.dataset
    masks = [_mask(survey, index) for index in range(len(survey.samples))]
    return Section(
        title="Data",
        text=(_what_is_shown(survey),),
        legend=tuple(class_entries(masks, dataset.classes, dataset.palette)),
        figures=(_samples(survey, masks),),
        bars=(class_balance(survey),) if survey.counts.any() else (),
        facts=facts,
    )


def class_balance(survey: Survey) -> Bars:
    """The share of each class of the pixels that have one, in the order of the data set."""
    total = max(int(survey.counts.sum()), 1)
    most = max(int(survey.counts.max()), 1)
    ranked = np.argsort(-survey.counts, kind="stable")[:MOST_BARS]
    dataset = survey.dataset
    bars = []
    for number in sorted(ranked.tolist()):
        count = int(survey.counts[number])
        red, green, blue = map(int, dataset.palette[number])
        bars.append(
            Bar(
                label=dataset.classes[number],
                text=_percent(count, total),
                share=count / most,
                color=to_hex((red, green, blue)),
            )
        )
    more = len(dataset.classes) - len(bars)
    left_out = (f"The {more} classes with the fewest pixels are left out.",) if more else ()
    return Bars(
        caption="Share of each class of the labelled pixels",
        bars=tuple(bars),
        notes=(f"Counted on {_looked_at(survey)}.", *left_out),
    )


def _facts(record: Mapping[str, Any], survey: Survey | None) -> Iterator[tuple[str, str]]:
    told = record.get("dataset")
    if not isinstance(told, dict):
        if "images" in record:
            yield "learned from", counted(len(record["images"]))
        if "components" in record:
            yield "components", str(record["components"])
        return
    yield "data set", f"{told['name']} in {told['root']}"
    yield "learned from", f"{told['train_split']}, {counted(told['train_images'])}"
    chosen = f"{told['val_split']}, {counted(told['val_images'])}"
    yield "network chosen on", chosen if told["val_images"] else "nothing: it is the last one"
    if "classes" in record:
        yield "classes", str(len(record["classes"]))
    if record.get("channel_names"):
        yield "channels", ", ".join(record["channel_names"])
    elif "channels" in record:
        yield "channels", str(record["channels"])
    if survey is not None:
        yield "size of images", _sizes(survey)
        everything = int(survey.counts.sum()) + survey.uncounted
        yield "pixels without a label", _percent(survey.uncounted, everything)
    if record.get("notes"):
        yield "recognized", " ".join(map(_sentence, record["notes"]))


def _what_is_shown(survey: Survey) -> str:
    shown, there = len(survey.samples), len(survey.dataset)
    which = "All of them" if shown == there else f"{shown} of {counted(there)}, at equal steps"
    return f"{which} in {survey.dataset.split}: move the edge to see the masks."


def _samples(survey: Survey, masks: list[Any]) -> Figure:
    panels = []
    for (name, sample), mask in zip(survey.samples, masks, strict=True):
        size = shown_size(mask.shape, _SIDE)
        ground = sample.image[..., :1] if survey.dataset.channel_names else sample.image
        drawn = class_picture(ground, mask, survey.dataset.palette, size=size)
        photo = resized(viewable(ground), size)
        panels.append(
            Slider(
                left=Panel(picture=embed(photo), alt=f"Image {name}.", label=name),
                right=Panel(picture=embed_drawn(drawn), alt=f"Mask of {name}.", label="mask"),
            )
        )
    return Figure(panels=tuple(panels))


def _mask(survey: Survey, index: int) -> Any:
    """The mask of a sample as pictures take it."""
    _, sample = survey.samples[index]
    unknown = sample.mask == survey.dataset.ignore_index
    if sample.region is not None:
        unknown |= ~sample.region
    return np.where(unknown, np.uint8(UNCOUNTED), sample.mask)


def _looked_at(survey: Survey) -> str:
    there = len(survey.dataset)
    if survey.images == there:
        return f"all {counted(there)} of {survey.dataset.split}"
    return f"{survey.images} of {counted(there)} of {survey.dataset.split}, at equal steps"


def _sizes(survey: Survey) -> str:
    """Width and height, or from the smallest to the largest."""
    ordered = sorted(survey.sizes, key=lambda size: (size[0] * size[1], size))
    shown = [f"{width} x {height}" for height, width in dict.fromkeys((ordered[0], ordered[-1]))]
    return f"{' to '.join(shown)} pixels"


def _percent(count: int, total: int) -> str:
    """A share; what is not nothing does not look like it.

    Example:
        >>> _percent(1, 3), _percent(1, 10**6), _percent(0, 5)
        ('33.3 %', 'under 0.1 %', '0 %')
    """
    share = 100 * count / max(total, 1)
    if 0 < share < _LEAST_PERCENT:
        return f"under {_LEAST_PERCENT:g} %"
    return f"{share:.1f} %" if share else "0 %"


def counted(images: int) -> str:
    """A number of images, with a mark between thousands.

    Example:
        >>> counted(1), counted(2975)
        ('1 image', '2,975 images')
    """
    return f"{images:,} image{'' if images == 1 else 's'}"


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."
