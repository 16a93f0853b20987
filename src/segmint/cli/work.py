"""One piece of work for each image: read, segment, save; one bad file does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segmint.cli import console
from segmint.cli.console import Progress, counted
from segmint.cli.inputs import InputOptions
from segmint.errors import InputError, OutputError, SegmintError, UsageError
from segmint.images import Image, collect_images, read_image, result_names
from segmint.methods.segmentation import Segmentation
from segmint.methods.storage import read_record

Work = Callable[[Image], tuple[Segmentation, Mapping[str, bytes]]]
"""``work(image)``: the segmentation of an image, and further files of its result by name."""


def collect(images: Sequence[str], options: InputOptions) -> list[Path]:
    """The image files that were named.

    Raises:
        UsageError: when nothing was named.
        InputError: for a missing file or a folder without images.
    """
    if "" in images:
        raise UsageError("an image name is empty: give files, folders or patterns like '*.png'")
    base = Path(options.path) if options.path is not None else None
    named = [str(base / image) if base is not None else image for image in images]
    if not named and base is not None:
        named = [str(base)]
    if not named:
        raise UsageError("no image was named: give files, folders or patterns like 'scans/*.png'")
    return collect_images(named, recursive=options.recursive)


@dataclass(kw_only=True)
class _Tally:
    """What became of the images so far."""

    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: int = 0
    other: int = 0
    """Of those skipped, results of other options."""
    untried: int = 0


def run_over_images(
    paths: Sequence[Path], work: Work, options: InputOptions, signature: dict[str, Any]
) -> int:
    """Segment every image and save what comes out.

    Args:
        paths: image files.
        work: segments one image.
        options: where to and how.
        signature: what tells a result apart from one made with other options.

    Returns:
        Exit code: 1 when a file failed, else 0.
    """
    tally = _Tally(untried=len(paths))
    stopped = False
    with _output_folder(Path(options.out)) as out:
        try:
            with console.progress(len(paths), quiet=options.quiet) as advance:
                for path, name in zip(paths, result_names(paths), strict=True):
                    try:
                        _add(path, out / name, work, options, signature, tally, advance)
                    except OutputError as error:
                        tally.failures.append(_reason(path, error))
                        break
                    finally:
                        tally.untried -= 1
        except KeyboardInterrupt:
            stopped = True
    _report(tally, options)
    if stopped:
        again = " without --overwrite" if options.overwrite else ""
        raise KeyboardInterrupt(
            f"stopped: what is finished is kept; run the same command again{again} to go on"
        )
    return 1 if tally.failures else 0


def _add(
    path: Path,
    folder: Path,
    work: Work,
    options: InputOptions,
    signature: Mapping[str, Any],
    tally: _Tally,
    advance: Progress,
) -> None:
    """Do the work for one image and count what came of it; a full disk is the caller's matter."""
    alone = tally.untried == 1 and not (tally.results or tally.failures or tally.skipped)
    try:
        record = None if options.overwrite else _finished(folder, path)
        if record is not None:
            tally.skipped += 1
            tally.other += any(record.get(key) != value for key, value in signature.items())
            advance(str(path), note="finished before, skipped")
            return
        tally.results.append(_segment_file(path, folder, work, options))
    except OutputError:
        raise
    except (SegmintError, MemoryError) as error:
        if isinstance(error, UsageError) and alone:
            raise
        tally.failures.append(_reason(path, error))
        if not alone:
            advance(str(path), note="failed")
    else:
        advance(str(path), note=_summary(tally.results[-1]))


def _segment_file(path: Path, folder: Path, work: Work, options: InputOptions) -> dict[str, Any]:
    image = read_image(path, pages=options.pages, max_pixels=options.max_pixels)
    segmentation, files = work(image)
    segmentation.save(folder, image, files=files)
    return {
        "image": str(path),
        "result": str(folder),
        "method": segmentation.method,
        "components": segmentation.components,
        "seconds": round(segmentation.seconds, 3),
        "notes": [*image.notes, *segmentation.notes],
    }


def _finished(folder: Path, image: Path) -> dict[str, Any] | None:
    """The record of a finished result of this image, or None.

    Raises:
        InputError: when the folder holds the result of another image of that name.
    """
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
        raise OutputError(
            f"cannot make the folder {out}: {error.strerror}; choose another --out"
        ) from error
    try:
        yield out
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"{path}: not enough memory for this image; lower --working-pixels or reduce it"
    text = str(error)
    return text if str(path) in text else f"{path}: {text}"


def _summary(result: dict[str, Any]) -> str:
    text = f"{counted(result['components'], 'component')} in {result['seconds']:.2f} s"
    return "; ".join([text, *result["notes"]])


def _report(tally: _Tally, options: InputOptions) -> None:
    for failure in tally.failures:
        console.complain(failure)
    if tally.other:
        console.say(
            f"{counted(tally.other, 'skipped result')} made with other options: "
            "--overwrite redoes them"
        )
    if options.json:
        console.result_json(
            {"results": tally.results, "skipped": tally.skipped, "failures": tally.failures}
        )
        return
    if not (tally.results or tally.skipped):
        return
    counts = [f"{len(tally.results)} segmented"]
    counts += [f"{tally.skipped} skipped"] if tally.skipped else []
    counts += [f"{len(tally.failures)} failed"] if tally.failures else []
    counts += [f"{tally.untried} not tried"] if tally.untried else []
    console.result(f"{', '.join(counts)}: results in {options.out}")


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
