"""One piece of work for each image: read, segment, save; one bad file does not stop the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from segmint.cli import console
from segmint.cli.inputs import InputOptions
from segmint.errors import InputError, OutputError, SegmintError, UsageError
from segmint.images import Image, collect_images, read_image, result_names
from segmint.methods.segmentation import RESULT, Segmentation

Work = Callable[[Image, Path], Segmentation]
"""``work(image, folder)``: the segmentation of an image whose results go to that folder."""


def collect(images: Sequence[str], options: InputOptions) -> list[Path]:
    """The image files that were named.

    Raises:
        UsageError: when nothing was named.
        InputError: for a missing file or a folder without images.
    """
    base = Path(options.path) if options.path is not None else None
    named = [str(base / image) if base is not None else image for image in images]
    if not named and base is not None:
        named = [str(base)]
    if not named:
        raise UsageError("no image was named: give files, folders or patterns like 'scans/*.png'")
    return collect_images(named, recursive=options.recursive)


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
    out = Path(options.out)
    _check_writable(out)
    results: list[dict[str, Any]] = []
    failures: list[str] = []
    skipped = other = 0
    stopped = False
    try:
        with console.progress(len(paths), quiet=options.quiet) as advance:
            for path, name in zip(paths, result_names(paths), strict=True):
                folder = out / name
                record = _finished(folder)
                if record is not None and not options.overwrite:
                    skipped += 1
                    other += any(record.get(key) != value for key, value in signature.items())
                    advance(str(path), note="finished before, skipped")
                    continue
                try:
                    results.append(_segment_file(path, folder, work, options))
                except (SegmintError, MemoryError) as error:
                    if isinstance(error, UsageError) and len(paths) == 1:
                        raise
                    failures.append(_reason(path, error))
                    advance(str(path), note="failed")
                    if isinstance(error, UsageError | OutputError):
                        break
                else:
                    advance(str(path), note=_summary(results[-1]))
    except KeyboardInterrupt:
        stopped = True
    _report(results, failures, skipped, other, options)
    if stopped:
        raise KeyboardInterrupt(
            "stopped: what is finished is kept; run the same command again to go on"
        )
    return 1 if failures else 0


def _segment_file(path: Path, folder: Path, work: Work, options: InputOptions) -> dict[str, Any]:
    image = read_image(path, pages=options.pages, max_pixels=options.max_pixels)
    segmentation = work(image, folder)
    segmentation.save(folder, image)
    return {
        "image": str(path),
        "result": str(folder),
        "method": segmentation.method,
        "components": segmentation.components,
        "seconds": round(segmentation.seconds, 3),
        "notes": [*image.notes, *segmentation.notes],
    }


def _finished(folder: Path) -> dict[str, Any] | None:
    """The record of a finished result, or None."""
    try:
        record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _check_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {out}: {error.strerror}; choose another --out"
        ) from error


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"{path}: not enough memory for this image; lower --working-pixels or reduce it"
    text = str(error)
    return text if path.name in text else f"{path}: {text}"


def _summary(result: dict[str, Any]) -> str:
    text = f"{result['components']} components in {result['seconds']:.2f} s"
    return "; ".join([text, *result["notes"]])


def _report(
    results: list[dict[str, Any]],
    failures: list[str],
    skipped: int,
    other: int,
    options: InputOptions,
) -> None:
    for failure in failures:
        console.complain(failure)
    if other:
        console.say(
            f"{other} skipped results were made with other options: --overwrite redoes them"
        )
    if options.json:
        console.result_json({"results": results, "skipped": skipped, "failures": failures})
        return
    counts = [f"{len(results)} segmented"]
    counts += [f"{skipped} skipped"] if skipped else []
    counts += [f"{len(failures)} failed"] if failures else []
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
