"""``segmint data``: which data sets are known, whether one is sound, and preparing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.cli import console, data_check, data_list
from segmint.cli.console import counted
from segmint.cli.data_check import CheckOptions
from segmint.cli.data_list import ListOptions
from segmint.cli.parameters import signature
from segmint.datasets.myops_options import MyopsOptions
from segmint.errors import SegmintError, UsageError, nearest
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.datasets.preparation import Preparation

ACTIONS = ("list", "check", "prepare")
LAYOUTS = ("myops",)


@dataclass(frozen=True, kw_only=True)
class RunningOptions(Options):
    """What becomes of earlier results, and what is printed."""

    overwrite: bool = option(False)
    """Prepare anew into a folder that was made with other options."""
    json: bool = option(False)
    """Print what was made as JSON."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """List the known layouts of data sets, check a data set, or prepare one.

ACTION is list, check or prepare; 'segmint data check --help' and the like show how.

Examples: 'segmint data list', 'segmint data check VOCdevkit', 'segmint data prepare myops
"MyoPS 2020 Dataset" prepared'.

Args:
    action: what to do: list, check or prepare.
"""

_PREPARE_HELP = """Prepare a data set: crops with their masks, and statistics of the classes.

LAYOUT is myops: MyoPS 2020, three sequences (LGE, T2, C0) of 25 hearts and their truth. Each slice
becomes one file in OUT/train or OUT/test, split by patient. OUT/prepared.csv says of every slice
what became of it, mu_data.csv, sigma_data.csv (standard deviations) and pi_data.csv hold the
statistics. SOURCE is never changed. The same command goes on where it was stopped.

Examples: 'segmint data prepare myops "MyoPS 2020 Dataset" prepared',
'segmint data prepare myops data prepared --slices any --format nifti'.

Args:
    action: prepare.
    layout: the data set: myops.
    source: its folder, or a folder that contains it.
    out: folder for what is made.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command, with the options of the action that the arguments name."""
    action = next((word for word in arguments if not word.startswith("-")), None)
    if action == "prepare":
        return signature(
            _prepare,
            summary=_PREPARE_HELP,
            chosen=("Preparation", MyopsOptions),
            running=("Running", RunningOptions),
        )
    if action == "check":
        return signature(_check, summary=data_check.HELP, chosen=("Check", CheckOptions))
    if action == "list":
        return signature(_list, summary=data_list.HELP, chosen=("Output", ListOptions))
    if action is not None:
        raise UsageError(f"unknown action {action!r}: {nearest(action, ACTIONS)}")

    def refuse(action: str, /) -> int:
        raise AssertionError(f"{action} has a command of its own")

    return signature(refuse, summary=_HELP)


def _list(action: str, /, *, chosen: Mapping[str, Any]) -> int:
    return data_list.run(ListOptions(**chosen))


def _check(action: str, data: str, /, *, chosen: Mapping[str, Any]) -> int:
    return data_check.run(data, CheckOptions(**chosen))


def _prepare(
    action: str,
    layout: str,
    source: str,
    out: str,
    /,
    *,
    chosen: Mapping[str, Any],
    running: Mapping[str, Any],
) -> int:
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}: {nearest(layout, LAYOUTS)}")
    for name, value in (("SOURCE", source), ("OUT", out)):
        if not value:
            raise UsageError(f"{name} is empty: name a folder")
    return _prepare_myops(source, out, MyopsOptions(**chosen), RunningOptions(**running))


def _prepare_myops(source: str, out: str, chosen: MyopsOptions, running: RunningOptions) -> int:
    from segmint.datasets.myops import prepare_myops
    from segmint.datasets.myops_files import find_patients, find_root

    patients = len(find_patients(find_root(source)))
    try:
        with console.progress(patients, quiet=running.quiet) as advance:
            preparation = prepare_myops(
                source,
                out,
                overwrite=running.overwrite,
                advance=lambda number, note: advance(f"patient {number}", note=note),
                **chosen.resolved(),
            )
    except KeyboardInterrupt:
        again = " without --overwrite" if running.overwrite else ""
        raise SegmintError(
            f"stopped: the same command{again} goes on; finished patients are in {out}"
        ) from None
    for failure in preparation.failures:
        console.complain(failure)
    if running.json:
        console.result_json(_as_data(preparation))
    else:
        _print(preparation)
    return 1 if preparation.failures else 0


def _as_data(preparation: Preparation) -> dict[str, Any]:
    statistics = preparation.statistics
    return {
        "out": str(preparation.out),
        "patients": preparation.patients,
        "kept_patients": preparation.kept,
        "slices": preparation.counts(),
        "written": [row.file for row in preparation.rows if row.file],
        "failures": preparation.failures,
        "absent_test_patients": preparation.absent_test_patients,
        "statistics_files": preparation.statistics_files,
        "means": None if statistics is None else statistics.means.means.tolist(),
        "standard_deviations": None if statistics is None else statistics.deviations.means.tolist(),
        "shares": None if statistics is None else statistics.shares.means[:, 0].tolist(),
    }


def _print(preparation: Preparation) -> None:
    console.table(
        ["slices", "number"],
        [[kind, str(number)] for kind, number in preparation.counts().items()],
    )
    console.result()
    _print_statistics(preparation)
    if preparation.absent_test_patients:
        absent = ", ".join(map(str, preparation.absent_test_patients))
        console.result(f"test patients that are not in the data: {absent}")
    written = sum(bool(row.file) for row in preparation.rows)
    failed = len({row.patient for row in preparation.rows if row.slice is None})
    console.result(
        f"{counted(written, 'image')} of {counted(preparation.patients - failed, 'patient')} "
        f"({preparation.kept} kept from before, {failed} failed): results in {preparation.out}"
    )


def _print_statistics(preparation: Preparation) -> None:
    statistics = preparation.statistics
    if statistics is None:
        return
    means, deviations = statistics.means, statistics.deviations.means
    cells = [
        [f"{mean:.2f} ± {deviation:.2f}" for mean, deviation in zip(*pair, strict=True)]
        for pair in zip(means.means, deviations, strict=True)
    ]
    shares = [f"{share:.3f}" for share in statistics.shares.means[:, 0]]
    console.table(
        ["class", *means.channels, "share"],
        [[name, *row, share] for name, row, share in zip(means.names, cells, shares, strict=True)],
    )
    console.result(
        f"mean ± standard deviation over {counted(len(preparation.statistics_files), 'slice')}"
    )
    console.result()
