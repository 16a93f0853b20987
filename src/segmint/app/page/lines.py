"""What was done on the page as lines to copy, for the command line and for Python.

Both give the same labels as the page: the objects behind all three are the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segmint.app.changes import Changes
from segmint.cli.predict_options import PredictOptions
from segmint.images.collect import result_names
from segmint.methods import DEFAULT_METHOD

OUT = "segmint-out"
"""Where ``segmint segment`` and ``segmint predict`` write if not told."""

_WIDTH = 88
_SCALES = PredictOptions().tta_scales


@dataclass(frozen=True, kw_only=True)
class ImageDeed:
    """One image and what was done to it alone."""

    name: str
    scribbles: str | None = None
    """The file of its strokes, as it is called when it is downloaded."""
    is_large: bool = False
    """Whether it was answered window by window."""
    changes: Changes = field(default_factory=Changes)
    stopped: int | None = None
    """The iteration after which it was stopped by hand."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What images of any number had done to them; those of one name are taken for one."""

    images: tuple[ImageDeed, ...]
    precision: str = "auto"


@dataclass(frozen=True, kw_only=True)
class MethodDeed(Deed):
    """Segmentation without labels, or from scribbles."""

    method: str = DEFAULT_METHOD
    preset: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method that differ from what holds otherwise."""
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class RunDeed(Deed):
    """Prediction by a run, or by several together."""

    places: tuple[str, ...]
    """Folders of runs or exported files, as the visitor may know them."""
    peer: str | None = None
    tta: tuple[str, ...] = ()
    tta_scales: tuple[float, ...] = _SCALES
    uncertainty: bool = False


def command_lines(deed: Deed) -> str:
    """Commands for a shell, long ones broken.

    Example:
        >>> image = ImageDeed(name="my photo.png", changes=Changes(components=3))
        >>> print(command_lines(MethodDeed(images=(image,), given={"fineness": 0.7})))
        segmint segment 'my photo.png' --fineness 0.7
        segmint recut 'segmint-out/my photo' --components 3
    """
    written: dict[str, set[str]] = {}
    lines: list[str] = []
    for group in _alike(deed.images):
        folders = result_names([Path(image.name) for image in group])
        out = _free_folder(written, folders)
        names = [[_path_word(image.name)] for image in group]
        lines += [_stopped_line(image) for image in group if image.stopped is not None]
        lines.append(_broken([_before(deed), *names, *_option_words(deed, group[0], out)]))
        for image, folder in zip(group, folders, strict=True):
            if image.changes != Changes():
                lines.append(_broken(_recut_words(f"{out}/{folder}", image.changes)))
    return "\n".join(lines)


def python_lines(deed: Deed) -> str:
    """A program that does the same.

    Example:
        >>> image = ImageDeed(name="photo.png", changes=Changes(merged=((0, 3),)))
        >>> print(python_lines(MethodDeed(images=(image,), given={"components": 5})))
        import segmint
        <BLANKLINE>
        image = segmint.read_image("photo.png")
        seg = segmint.segment(image, components=5)
        seg = seg.with_merged([(0, 3)])
        seg.save("segmint-out/photo", image)
    """
    images = list({image.name: image for image in deed.images}.values())
    names = result_names([Path(image.name) for image in images])
    folders = {image.name: name for image, name in zip(images, names, strict=True)}
    body = list(_opening(deed)) if isinstance(deed, RunDeed) else []
    plain = [image for image in images if image == ImageDeed(name=image.name)]
    if len(plain) > 1:
        body += _loop(deed, {image.name: folders[image.name] for image in plain})
    for image in images:
        if len(plain) < 2 or image not in plain:
            body += _one_image(deed, image, f"{OUT}/{folders[image.name]}")
    return "\n".join([*_imports(deed, images), "", *body])


def _alike(images: Iterable[ImageDeed]) -> list[list[ImageDeed]]:
    """Images that one command takes together."""
    groups: dict[tuple[str | None, bool], dict[str, ImageDeed]] = {}
    for image in images:
        groups.setdefault((image.scribbles, image.is_large), {})[image.name] = image
    return [list(group.values()) for group in groups.values()]


def _free_folder(written: dict[str, set[str]], folders: Sequence[str]) -> str:
    """Where no command before has written a result of that name."""
    number = 1
    while written.get(out := OUT if number == 1 else f"{OUT}-{number}", set()) & set(folders):
        number += 1
    written.setdefault(out, set()).update(folders)
    return out


def _before(deed: Deed) -> list[str]:
    """The command, up to its images."""
    if isinstance(deed, RunDeed):
        return ["segmint", "predict", _path_word(deed.places[0])]
    return ["segmint", "segment"]


def _option_words(deed: Deed, image: ImageDeed, out: str) -> Iterator[list[str]]:
    """Options of a command; words that belong together are one list."""
    if isinstance(deed, MethodDeed):
        yield from _method_words(deed)
    elif isinstance(deed, RunDeed):
        yield from _run_words(deed, is_large=image.is_large)
    if deed.precision != "auto":
        yield ["--precision", deed.precision]
    if image.scribbles is not None:
        yield ["--scribbles", image.scribbles]
    if image.is_large:
        yield ["--stream", "tiff"]
    if out != OUT:
        yield ["--out", out]


def _method_words(deed: MethodDeed) -> Iterator[list[str]]:
    if deed.method != DEFAULT_METHOD:
        yield ["--method", deed.method]
    if deed.preset is not None:
        yield ["--preset", deed.preset]
    for name, value in deed.given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            yield [option if value else f"{option}=false"]
        else:
            values = value if isinstance(value, tuple) else (value,)
            yield [option, *map(str, values)]
    if deed.seed:
        yield ["--seed", str(deed.seed)]


def _run_words(deed: RunDeed, *, is_large: bool) -> Iterator[list[str]]:
    if len(deed.places) > 1:
        yield ["--also", *map(_path_word, deed.places[1:])]
    if deed.peer is not None:
        yield ["--peer", deed.peer]
    if deed.tta:
        yield ["--tta", *deed.tta]
    if "scales" in deed.tta and deed.tta_scales != _SCALES:
        yield ["--tta-scales", *map(str, deed.tta_scales)]
    if deed.uncertainty and not is_large:
        yield ["--uncertainty"]  # of images that are held in memory


def _recut_words(folder: str, changes: Changes) -> list[list[str]]:
    words = [["segmint", "recut", _path_word(folder)]]
    if changes.components is not None:
        words.append(["--components", str(changes.components)])
    words += [["--merge", ",".join(map(str, group))] for group in changes.merged]
    words += [["--name", f"{index}={name}"] for index, name in changes.names.items()]
    return words


def _path_word(name: str) -> str:
    """A name that is no option, whatever it begins with."""
    return f"./{name}" if name.startswith("-") else name


def _broken(words: Iterable[Sequence[str]]) -> str:
    """A command, words that belong together on one line."""
    lines = [""]
    for group in words:
        text = shlex.join(group)
        if lines[-1] and len(lines[-1]) + len(text) + 3 > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {text}" if lines[-1] else text
    return " \\\n".join(lines)


def _stopped_line(image: ImageDeed) -> str:
    # A name may hold anything but a slash; a line break in it would end the comment.
    return f"# {_text(image.name)} was stopped by hand after iteration {image.stopped}"


def _imports(deed: Deed, images: Sequence[ImageDeed]) -> Iterator[str]:
    run = deed if isinstance(deed, RunDeed) else None
    if run is not None and run.uncertainty and not all(image.is_large for image in images):
        yield from ("from dataclasses import replace", "")
    yield "import segmint"
    if run is not None and run.tta:
        yield "from segmint.inference.views import Views"
    if any(image.is_large and image.changes != Changes() for image in images):
        yield "from segmint.methods.storage import load_segmentation"


def _opening(deed: RunDeed) -> Iterator[str]:
    """What opens the runs, as the command does."""
    tiling = []
    if deed.tta:
        given = {
            "flips": "flips" in deed.tta,
            "rotations": "rotations" in deed.tta,
            "scales": deed.tta_scales if "scales" in deed.tta else (),
        }
        shown = {name: value for name, value in given.items() if value}
        yield from _call("views = Views", _keywords(shown))
        tiling = ["tiling=segmint.Tiling(views=views)"]
    calls = []
    for index, place in enumerate(deed.places):
        options: dict[str, Any] = {}
        is_file = place.endswith(".onnx")
        if deed.precision != "auto" and not (is_file and len(deed.places) > 1):
            options["precision"] = deed.precision
        if deed.peer is not None and index == 0:
            options["peer"] = deed.peer
        name = "segmint.ExportedModel" if is_file else "segmint.Run"
        calls.append((name, [_text(place), *_keywords(options), *tiling]))
    if len(calls) == 1:
        yield from _call(f"run = {calls[0][0]}", calls[0][1])
    else:
        yield "runs = ["
        yield from (f"    {name}({', '.join(arguments)})," for name, arguments in calls)
        yield from ("]", "run = segmint.Ensemble(runs)")


def _loop(deed: Deed, folders: Mapping[str, str]) -> Iterator[str]:
    """Images that nothing was done to alone, and the names of their results."""
    yield "names = {"
    yield from (f"    {_text(name)}: {_text(folder)}," for name, folder in folders.items())
    yield "}"
    yield "for name, folder in names.items():"
    yield "    image = segmint.read_image(name)"
    yield from (f"    {line}" for line in _answered(deed, None))
    yield f'    seg.save(f"{OUT}/{{folder}}", image)'


def _one_image(deed: Deed, image: ImageDeed, folder: str) -> Iterator[str]:
    if image.stopped is not None:
        yield _stopped_line(image)
    if image.is_large:
        yield from _large_image(deed, image, folder)
        return
    yield f"image = segmint.read_image({_text(image.name)})"
    yield from _answered(deed, image.scribbles)
    yield from _changed(image.changes)
    yield f"seg.save({_text(folder)}, image)"


def _large_image(deed: Deed, image: ImageDeed, folder: str) -> Iterator[str]:
    arguments = [_text(image.name), _text(folder)]
    if isinstance(deed, MethodDeed):
        options = [*_keywords(_method_options(deed)), 'form="tiff"']
        yield from _call("segmint.segment_file", [*arguments, *options])
    else:
        yield from _call("run.segment_file", [*arguments, 'form="tiff"'])
    if image.changes != Changes():
        yield f"seg, image = load_segmentation({_text(folder)})"
        yield from _changed(image.changes)
        ending = image.changes.components or "changed"
        yield f"seg.save({_text(f'{folder}-{ending}')}, image)"


def _answered(deed: Deed, scribbles: str | None) -> Iterator[str]:
    """From ``image`` to ``seg``."""
    if isinstance(deed, RunDeed):
        yield "seg = run.segment(image)"
        if deed.uncertainty:
            yield "seg = replace(seg, uncertainty_map=True)"
        return
    assert isinstance(deed, MethodDeed)
    arguments = ["image", *_keywords(_method_options(deed))]
    if scribbles is not None:
        # read_labels gives -1 where the file has 255, which is the command's --unlabelled.
        arguments += [f"scribbles=segmint.read_labels({_text(scribbles)})", "unlabelled=-1"]
    yield from _call("seg = segmint.segment", arguments)


def _method_options(deed: MethodDeed) -> dict[str, Any]:
    common = {
        "method": None if deed.method == DEFAULT_METHOD else deed.method,
        "preset": deed.preset,
    }
    how = {"seed": deed.seed or None, "precision": deed.precision}
    how = {name: value for name, value in how.items() if value not in (None, "auto")}
    return {
        **{name: value for name, value in common.items() if value is not None},
        **deed.given,
        **how,
    }


def _changed(changes: Changes) -> Iterator[str]:
    parts = []
    if changes.components is not None:
        parts.append(f"with_components({changes.components})")
    if changes.merged:
        parts.append(f"with_merged({[tuple(group) for group in changes.merged]})")
    if changes.names:
        names = ", ".join(f"{index}: {_text(name)}" for index, name in changes.names.items())
        parts.append(f"with_names({{{names}}})")
    line = f"seg = seg.{'.'.join(parts)}"
    if len(line) <= _WIDTH:
        yield from [line] if parts else []
    else:
        yield from (f"seg = seg.{part}" for part in parts)


def _call(before: str, arguments: Sequence[str]) -> Iterator[str]:
    """A call, on lines of its own where it is long."""
    line = f"{before}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"{before}("
        yield from (f"    {argument}," for argument in arguments)
        yield ")"


def _keywords(options: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}={_text(value) if isinstance(value, str) else repr(value)}"
        for name, value in options.items()
    ]


def _text(text: str) -> str:
    """A string as Python has it, in double quotes where that needs no escapes."""
    literal = repr(text)
    return literal if literal[0] == '"' or '"' in literal else f'"{literal[1:-1]}"'
