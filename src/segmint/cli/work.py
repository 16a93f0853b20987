"""One piece of work for each image: read, segment, save; one bad file does not stop the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from segmint.cli import console
from segmint.cli.console import Progress, counted
from segmint.cli.inputs import InputOptions
from segmint.errors import InputError, OutputError, SegmintError, UsageError
from segmint.images import Image, collect_images, read_image, result_names
from segmint.images.channels import read_channels
from segmint.inference.streaming import is_unfinished
from segmint.methods.segmentation import Segmentation
from segmint.methods.storage import read_record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Work = Callable[[Image], tuple[Segmentation, Mapping[str, bytes]]]
"""``work(image)``: the segmentation of an image, and further files of its result by name."""


class ByWindow(Protocol):
    """Answers images that do not fit into memory."""

    def takes(self, path: Path) -> bool:
        """Whether this file is one of them."""
        ...

    def segment(self, path: Path, folder: Path) -> dict[str, Any]:
        """Answer it and write its folder; what the record in it says."""
        ...


WritePage = Callable[[Path, Sequence[str], int], Path | None]
"""``write_page(folder, failures, untried)``: the page of the results in a folder, where it has one;
what failed in sentences, and how many images were not reached."""

_SHORTEST_COMMON_NAME = 3


def collect(
    images: Sequence[str], options: InputOptions, channels: Sequence[str] = ()
) -> list[Path]:
    """The image files that were named, or those that are the channels of one image.

    Raises:
        UsageError: when nothing was named, or both.
        InputError: for a missing file or a folder without images.
    """
    if channels and images:
        raise UsageError(
            f"--channels names the files of one image, so {images[0]} is one too many: give either"
        )
    images = channels or images
    if "" in images:
        raise UsageError("an image name is empty: give files, folders or patterns like '*.png'")
    base = Path(options.path) if options.path is not None else None
    named = [str(base / image) if base is not None else image for image in images]
    if not named and base is not None:
        named = [str(base)]
    if not named:
        raise UsageError("no image was named: give files, folders or patterns like 'scans/*.png'")
    if channels and len({Path(name).resolve() for name in named}) < len(named):
        raise UsageError("--channels names a file twice: name one file for each channel")
    return collect_images(named, recursive=options.recursive)


def run_over_images(
    paths: Sequence[Path],
    work: Work,
    options: InputOptions,
    signature: Mapping[str, Any],
    *,
    as_channels: bool = False,
    by_window: ByWindow | None = None,
    write_page: WritePage | None = None,
) -> int:
    """Segment every image and save what comes out.

    Args:
        paths: image files.
        work: segments one image.
        options: where to and how.
        signature: what tells a result apart from one made with other options.
        as_channels: the files are the channels of one image.
        by_window: does the work for images that do not fit into memory.
        write_page: shows the results of several images on one page; None writes none.

    Returns:
        Exit code: 1 when a file failed, else 0.
    """
    names = [_common_name(paths)] if as_channels else result_names(paths)
    read = partial(_read, channels=paths if as_channels else (), options=options)
    paths = paths[: len(names)]
    batch = _Batch(
        read=read,
        work=work,
        by_window=None if as_channels else by_window,
        options=options,
        signature=signature,
        count=len(paths),
    )
    stopped, page = False, None
    with _output_folder(Path(options.out)) as out:
        try:
            with console.progress(len(paths), quiet=options.quiet) as advance:
                for path, name in zip(paths, names, strict=True):
                    if not batch.add(path, out / name, advance):
                        break
        except KeyboardInterrupt:
            stopped = True
        if write_page is not None and len(paths) > 1:
            page = batch.write_page(write_page, out)
    batch.report(page)
    if stopped:
        again = " without --overwrite" if options.overwrite else ""
        raise KeyboardInterrupt(
            f"stopped: what is finished is kept; run the same command again{again} to go on"
        )
    return 1 if batch.failures else 0


@dataclass(kw_only=True)
class _Batch:
    """The work on many images, and what has become of them."""

    read: Callable[[Path], Image]
    work: Work
    by_window: ByWindow | None
    options: InputOptions
    signature: Mapping[str, Any]
    count: int
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: int = 0
    other: int = 0
    """Of those skipped, results of other options."""
    is_full: bool = False
    """Nothing more can be written."""

    def add(self, path: Path, folder: Path, advance: Progress) -> bool:
        """Do the work for one image; False when no further result can be written."""
        try:
            record = None if self.options.overwrite else _finished(folder, path)
            if record is None:
                self.results.append(self._segment(path, folder))
        except (SegmintError, MemoryError) as error:
            if isinstance(error, UsageError) and self.count == 1:
                raise
            self.failures.append(_reason(path, error))
            if self.count > 1:
                advance(str(path), note="failed")
            self.is_full = isinstance(error, OutputError)
            return not self.is_full
        if record is None:
            advance(str(path), note=_summary(self.results[-1]))
        else:
            self.skipped += 1
            self.other += any(record.get(key) != value for key, value in self.signature.items())
            advance(str(path), note="finished before, skipped")
        return True

    def _segment(self, path: Path, folder: Path) -> dict[str, Any]:
        if self.by_window is not None and self.by_window.takes(path):
            record = self.by_window.segment(path, folder)
            told = {name: record[name] for name in ("method", "components", "seconds", "notes")}
            return {"image": str(path), "result": str(folder), **told}
        image = self.read(path)
        segmentation, files = self.work(image)
        segmentation.save(folder, image, files=files)
        return {
            "image": str(path),
            "result": str(folder),
            "method": segmentation.method,
            "components": segmentation.components,
            "seconds": round(segmentation.seconds, 3),
            "notes": [*image.notes, *segmentation.notes],
        }

    @property
    def untried(self) -> int:
        """Images that were not reached."""
        return self.count - len(self.results) - self.skipped - len(self.failures)

    def write_page(self, write: WritePage, out: Path) -> Path | None:
        """The page of what is in the folder; the results stand also where that fails."""
        if self.is_full:
            return None
        try:
            return write(out, self.failures, self.untried)
        except (SegmintError, OSError, MemoryError) as error:
            console.say(f"note: there is no report ({error})")
            return None

    def report(self, page: Path | None) -> None:
        """Say what failed, and where the results and their page are."""
        for failure in self.failures:
            console.complain(failure)
        if self.other:
            console.say(
                f"{counted(self.other, 'skipped result')} made with other options: "
                "--overwrite redoes them"
            )
        if self.options.json:
            told = {"results": self.results, "skipped": self.skipped, "failures": self.failures}
            console.result_json(told if page is None else {**told, "report": str(page)})
        elif self.results or self.skipped:
            where = "" if page is None else f", report in {page}"
            console.result(f"{self._counts()}: results in {self.options.out}{where}")

    def _counts(self) -> str:
        counts = [f"{len(self.results)} segmented"]
        for number, what in (
            (self.skipped, "skipped"),
            (len(self.failures), "failed"),
            (self.untried, "not tried"),
        ):
            counts += [f"{number} {what}"] if number else []
        return ", ".join(counts)


def _read(path: Path, *, channels: Sequence[Path], options: InputOptions) -> Image:
    if channels:
        return read_channels(channels, pages=options.pages, max_pixels=options.max_pixels)
    return read_image(path, pages=options.pages, max_pixels=options.max_pixels)


def _common_name(channels: Sequence[Path]) -> str:
    """What the names of the files begin with alike; where that is too short, their folder."""
    names = result_names(channels)
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in alike).rstrip("-_ .")
    if len(shared) >= _SHORTEST_COMMON_NAME:
        return shared
    folders = {path.parent for path in channels}
    return (folders.pop().name or names[0]) if len(folders) == 1 else names[0]


def _finished(folder: Path, image: Path) -> dict[str, Any] | None:
    """The record of a finished result of this image, or None.

    Raises:
        InputError: when the folder holds the result of another image of that name.
    """
    if is_unfinished(folder):
        return None
    try:
        record = read_record(folder)
    except InputError:
        return None
    made_from = Path(str(record.get("image")))
    with suppress(OSError):
        if not made_from.samefile(image):
            raise InputError(
                f"{folder} holds the result of {made_from} and not of {image}: choose another "
                "--out, or pass --overwrite"
            )
    return record


@contextmanager
def _output_folder(out: Path) -> Iterator[Path]:
    """The folder, made when missing and gone again when nothing came into it."""
    try:
        if out.is_file():
            raise UsageError(f"--out {out} is a file: name a folder")
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a folder of that path is a file" if in_the_way else error.strerror
        raise OutputError(
            f"cannot make the folder {out}: {reason}; choose another --out"
        ) from error
    try:
        yield out
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return (
            f"{path}: not enough memory for this image: pass --stream tiff, reduce it, or lower "
            "--working-pixels or --features where the method has them"
        )
    text = str(error)
    return text if str(path) in text else f"{path}: {text}"


def _summary(result: dict[str, Any]) -> str:
    text = f"{counted(result['components'], 'component')} in {result['seconds']:.2f} s"
    return "; ".join([text, *result["notes"]])


def matching_file(given: str | None, image: Path, what: str) -> Path | None:
    """The file that belongs to an image: the given file, or in a folder the one of its name.

    Raises:
        InputError: when the folder holds none, or several.
    """
    if given is None:
        return None
    place = Path(given)
    if not place.is_dir():
        return place
    stem = image.name.partition(".")[0]
    found = sorted(
        file
        for file in place.iterdir()
        if file.name.partition(".")[0] in (stem, f"{stem}_{what}", f"{stem}_{what}s")
        and file.resolve() != image.resolve()
    )
    marked = [file for file in found if what in file.name] or found
    if len(marked) != 1:
        count = "no file" if not marked else f"{len(marked)} files"
        raise InputError(
            f"{place} holds {count} for {image.name}: name one {stem}.png or {stem}_{what}.png"
        )
    return marked[0]


def read_mask(given: str | None, image: Path, what: str) -> NDArray[np.int32] | None:
    """The mask that belongs to an image, or None when none was given."""
    from segmint.images.masks import read_masks

    path = matching_file(given, image, what)
    if path is None:
        return None
    return read_masks(path, ignore_index=None, colors=what != "scribble")[0]


def read_region(given: str | None, image: Image) -> NDArray[np.bool_] | None:
    """Where to look in an image, or None when that was not said."""
    from segmint.images.masks import read_masks

    assert image.source is not None
    path = matching_file(given, image.source, "region")
    if path is None:
        return None
    if path.suffix.lower() == ".npz":
        return read_image(path).region
    inside: NDArray[np.bool_] = read_masks(path, ignore_index=None)[0] != 0
    return inside


def panel_files(image: Image, segmentation: Segmentation) -> dict[str, bytes]:
    """The channels, the prediction and the truth side by side, where a mixture has several."""
    if segmentation.mixture is None or (image.mask is None and image.channels < 2):
        return {}
    from segmint.reports.panels import panels_png
    from segmint.reports.truth import truth_by_id

    truth = truth_by_id(image, segmentation)
    picture = panels_png(image, segmentation.labels, truth, names=segmentation.names)
    return {"panels.png": picture}
