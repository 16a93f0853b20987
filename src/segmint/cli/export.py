"""``segmint export``: a run as one file for programs without segmint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.inference.export_check import ExportCheck
    from segmint.recipes.export import Exported

_COLUMNS = ("checked on", "size", "difference", "equal labels", "ms", "ms torch")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options):
    """What is written, and how it is checked."""

    format: str = option("onnx")
    """onnx for any runtime, torch-export (.pt2) or torchscript (.pt) for torch."""
    out: str | None = option(None, aliases=("output",))
    """The file; if not given it is named like the run, in the current folder."""
    peer: str | None = option(None)
    """Of a run with several networks the one that answers, or ensemble, the mean of all; if not
    given the one that was best in training."""
    precision: str = option("float32")
    """float32, or int8, which is quicker and differs a little, of onnx."""
    full_value: float = option(255.0, low=1e-6, high=1e12)
    """Largest value that can be stored in the images: 255 of 8 bits, 65535 of 16, 1 of floats."""
    images: tuple[str, ...] = option(())
    """Files or folders of images to check the file on, and for int8 to measure ranges on; if not
    given those that chose the run."""
    least_agreement: float = option(0.98, low=0, high=1)
    """Share of pixels that must have the same label in int8."""
    overwrite: bool = option(False)
    """Write over the file if it is there."""
    threads: int = option(0, low=0)
    """Processor threads; 0 uses all."""
    json: bool = option(False)
    """Print the result as JSON."""


_HELP = """Write a run as one file, from stored values to labels and probabilities.

The file takes images of any size and number (N, C, H, W) as they are stored, and normalizes, pads
and crops by itself. It is read again and compared with the run, on random images and on pictures; a
file that answers otherwise is not written. 'segmint predict FILE.onnx IMAGE...' applies it.

Examples: 'segmint export run', 'segmint export run --precision int8 --images scans/'.

Args:
    run: folder that 'segmint train' wrote, with masks.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def export(run: str, /, *, written: Mapping[str, Any]) -> int:
        return _export(run, ExportOptions(**written))

    return signature(export, summary=_HELP, written=("Export", ExportOptions))


def _export(run: str, options: ExportOptions) -> int:
    from segmint.recipes.export import export

    use_threads(options.threads)
    found = export(
        run,
        options.out,
        format=options.format,
        peer=options.peer,
        precision=options.precision,
        full_value=options.full_value,
        images=options.images,
        least_agreement=options.least_agreement,
        overwrite=options.overwrite,
    )
    for note in found.record.notes:
        console.say(f"note: {note}")
    if options.json:
        console.result_json(_facts(found, options.format))
        return 0
    console.table(_COLUMNS, [_row(check) for check in found.checks])
    size = found.path.stat().st_size / 2**20
    console.result(f"{options.format} in {options.precision}, {size:.1f} MiB: {found.path}")
    return 0


def _row(check: ExportCheck) -> list[str]:
    share = 100 * check.equal
    return [
        check.name,
        f"{check.images} x {check.height}x{check.width}",
        f"{check.difference:.1e}",
        # Rounding may not hide that some differ.
        "100 %" if check.equal == 1 else f"{min(share, 99.9999):.4f} %",
        f"{check.milliseconds:.0f}",
        f"{check.torch_milliseconds:.0f}",
    ]


def _facts(found: Exported, kind: str) -> dict[str, Any]:
    return {
        "file": str(found.path),
        "format": kind,
        "precision": found.record.precision,
        "peer": found.record.peer,
        "bytes": found.path.stat().st_size,
        "outputs": list(found.record.outputs),
        "checks": [check.as_dict() for check in found.checks],
        "notes": list(found.record.notes),
    }
