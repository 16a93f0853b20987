"""What a visitor asked of an image: a method with its options, or a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from segmint.app.desks.picture_name import download_name
from segmint.app.errand import Errand
from segmint.app.page.lines import Deed, ImageDeed, MethodDeed, RunDeed
from segmint.cli.predict_options import PredictOptions

if TYPE_CHECKING:
    from segmint.app.desks.desk import Picture
    from segmint.app.found_runs import FoundRun
    from segmint.app.setting import Setting


class Wish(Protocol):
    """What makes an answer of an image."""

    def errand(self, picture: Picture, version: int, setting: Setting) -> Errand:
        """What a process is to do for this picture."""
        ...

    def deed(self, picture: Picture, setting: Setting) -> Deed:
        """The same, to be written as lines that do it again."""
        ...


@dataclass(frozen=True, kw_only=True)
class LabelFree:
    """Segment without labels, or from scribbles."""

    method: str
    preset: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options that differ from their defaults."""
    seed: int = 0
    scribbles: bool = False

    def errand(self, picture: Picture, version: int, setting: Setting) -> Errand:
        """What a process is to do for this picture."""
        return Errand(
            name="segment",
            arguments={
                **_common(picture, version, setting),
                "method": self.method,
                "preset": self.preset,
                "options": dict(self.given),
                "seed": self.seed,
                "scribbles": str(picture.scribbles) if self.scribbles else None,
            },
        )

    def deed(self, picture: Picture, setting: Setting) -> Deed:
        """The same, to be written as lines that do it again."""
        image = _image_deed(picture)
        return MethodDeed(
            images=(replace(image, scribbles=scribbles_name(picture) if self.scribbles else None),),
            precision=setting.how.precision,
            method=self.method,
            preset=self.preset,
            given=self.given,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Answer by a run."""

    run: FoundRun
    peer: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """``tta``, ``tta_scales`` and ``uncertainty`` where they differ from their defaults."""

    def errand(self, picture: Picture, version: int, setting: Setting) -> Errand:
        """What a process is to do for this picture."""
        options = PredictOptions(**self.given)
        return Errand(
            name="predict",
            arguments={
                **_common(picture, version, setting),
                "places": [str(self.run.place)],
                "peer": self.peer,
                "tta": options.tta,
                "tta_scales": options.tta_scales,
                "uncertainty": options.uncertainty,
            },
        )

    def deed(self, picture: Picture, setting: Setting) -> Deed:
        """The same, to be written as lines that do it again."""
        return RunDeed(
            images=(_image_deed(picture),),
            precision=setting.how.precision,
            places=(self.run.place.name,),
            peer=self.peer,
            **self.given,
        )


def scribbles_name(picture: Picture) -> str:
    """What the file of strokes is called when it is downloaded."""
    return download_name(picture.name, "scribbles.png")


def _image_deed(picture: Picture) -> ImageDeed:
    stopped = None if picture.answer is None else picture.answer.facts.get("stopped")
    return ImageDeed(
        name=picture.name,
        is_large=bool(picture.facts.get("large")),
        changes=picture.changes,
        stopped=stopped,
    )


def _common(picture: Picture, version: int, setting: Setting) -> dict[str, Any]:
    return {
        "path": str(picture.file),
        "name": picture.name,
        "fit": str(picture.fit),
        "result": str(picture.result),
        "views": str(picture.views(version)),
        "device": setting.how.device,
        "precision": setting.how.precision,
        "large": bool(picture.facts.get("large")),
        "max_memory": setting.limits.max_memory,
    }
