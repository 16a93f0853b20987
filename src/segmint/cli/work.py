"""The images of a command done by the command itself, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segmint.cli import console
from segmint.cli.collection_job import CollectionJob
from segmint.cli.console import Progress, counted
from segmint.cli.image_work import UNEXPECTED, ImageWork, finished, is_of, reason
from segmint.engines.item import Item
from segmint.errors import OutputError, SegmintError, UsageError
from segmint.inference.elsewhere import Elsewhere
from segmint.inference.scene_source import SceneSource

Spread = Callable[[SceneSource], Elsewhere]
"""``spread(source)``: who answers the windows of a large image."""

WritePage = Callable[[Path, Sequence[str], int], Path | None]
"""``write_page(folder, failures, untried)``: the page of the results in a folder, where it has one;
what failed in sentences, and how many images were not reached."""


def run_over_images(
    job: CollectionJob,
    items: Sequence[Item],
    *,
    write_page: WritePage | None = None,
    spread: Spread | None = None,
) -> int:
    """Segment every image and save what comes out; one bad file does not stop the others.

    Args:
        job: what is done to each.
        items: the images.
        write_page: shows the results of several images on one page; None writes none.
        spread: has the windows of large images answered elsewhere.

    Returns:
        Exit code: 1 when a file failed, else 0.
    """
    options = job.inputs
    batch = _Batch(job=job, work=job.images(spread), count=len(items))
    stopped, page = False, None
    with output_folder(Path(options.out)) as out:
        try:
            with console.progress(len(items), quiet=options.quiet) as advance:
                for item in items:
                    if not batch.add(item, out / item.name, advance):
                        break
        except KeyboardInterrupt:
            stopped = True
        if write_page is not None and len(items) > 1:
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
    """The work on several images, and what has become of them."""

    job: CollectionJob
    work: ImageWork
    count: int
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: int = 0
    other: int = 0
    """Of those skipped, results of other options."""
    is_full: bool = False
    """Nothing more can be written."""

    def add(self, item: Item, folder: Path, advance: Progress) -> bool:
        """Do the work for one image; False when no further result can be written."""
        try:
            record = None if self.job.inputs.overwrite else finished(folder, Path(item.image))
            if record is None:
                self.results.append(self.work.do(item, folder))
        except (SegmintError, MemoryError, *UNEXPECTED) as error:
            if isinstance(error, UsageError) and self.count == 1:
                raise
            self.failures.append(reason(item.image, error))
            if self.count > 1:
                advance(item.image, note="failed")
            self.is_full = isinstance(error, OutputError)
            return not self.is_full
        if record is None:
            advance(item.image, note=_summary(self.results[-1]))
        else:
            self.skipped += 1
            self.other += not is_of(record, self.job.signature_of(item))
            advance(item.image, note="finished before, skipped")
        return True

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
        if self.job.inputs.json:
            told = {"results": self.results, "skipped": self.skipped, "failures": self.failures}
            console.result_json(told if page is None else {**told, "report": str(page)})
        elif self.results or self.skipped:
            where = "" if page is None else f", report in {page}"
            console.result(f"{self._counts()}: results in {self.job.inputs.out}{where}")

    def _counts(self) -> str:
        counts = [f"{len(self.results)} segmented"]
        for number, what in (
            (self.skipped, "skipped"),
            (len(self.failures), "failed"),
            (self.untried, "not tried"),
        ):
            counts += [f"{number} {what}"] if number else []
        return ", ".join(counts)


@contextmanager
def output_folder(out: Path) -> Iterator[Path]:
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


def _summary(result: dict[str, Any]) -> str:
    text = f"{counted(result['components'], 'component')} in {result['seconds']:.2f} s"
    return "; ".join([text, *result["notes"]])
