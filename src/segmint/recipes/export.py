"""``export``: a run as one file that needs no segmint, checked before it is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from segmint.devices import memory_errors
from segmint.errors import UsageError, nearest, shortened
from segmint.inference.export_record import ExportRecord
from segmint.recipes.run import Run
from segmint.runs import atomic_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from segmint.inference.export_check import Answer, ExportCheck
    from segmint.inference.export_module import ExportModule
    from segmint.networks.reach import Reach
    from segmint.recipes.class_prediction import ClassPrediction
    from segmint.recipes.export_pictures import Picture

FORMATS = {"onnx": ".onnx", "torch-export": ".pt2", "torchscript": ".pt"}
"""Suffix of the file by format."""
EXPORT_PRECISIONS = ("float32", "int8")
LEAST_AGREEMENT = 0.98

_CHECKED_IN_FLOAT = 2
"""Pictures that are enough where only rounding may differ."""


class _File(Protocol):
    def save(self, path: Path, record: ExportRecord) -> None: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Exported:
    """A file that was written, and how it compared with the run."""

    path: Path
    record: ExportRecord
    checks: tuple[ExportCheck, ...]


def export(
    run: str | Path,
    out: str | Path | None = None,
    *,
    format: str = "onnx",  # noqa: A002 - the word that everyone uses for it
    peer: str | None = None,
    precision: str = "float32",
    full_value: float = 255.0,
    images: Sequence[str | Path] = (),
    least_agreement: float = LEAST_AGREEMENT,
    overwrite: bool = False,
) -> Exported:
    """Write a run as one file, from stored values to labels and probabilities.

    The file is read again and must answer what the run answers, on random images of several sizes
    and on pictures; otherwise nothing is written.

    Args:
        run: folder of a run that learned from masks.
        out: the file; None is named like the run, in the current folder.
        format: ``onnx``, ``torch-export`` or ``torchscript``.
        peer: of a run with several networks the one that answers, or an ensemble; None is the best.
        precision: ``float32``, or ``int8`` of ONNX.
        full_value: largest value that can be stored in the images that the file will get.
        images: files like those that it will get; None takes the run's validation images.
        least_agreement: share of pixels that must keep their label in ``int8``.
        overwrite: replace the file if it is there.

    Raises:
        UsageError: for an unknown format, precision or peer, a run without classes, or a file that
            is there.
        InputError: for a run or image that cannot be read, a network that cannot be exported, or
            a file that answers otherwise than the run.
        OutputError: when the file cannot be written.
    """
    _check_choices(format, precision)
    path = _place(Path(run), out, format=format, peer=peer, precision=precision)
    if path.is_dir() or (path.exists() and not overwrite):
        advice = "name a file" if path.is_dir() else "pass --overwrite or another --out"
        raise UsageError(f"{path} is there already: {advice}")
    with memory_errors():
        source = _Source.of(Run(run, device="cpu", precision="float32", peer=peer))
        return _written(
            source,
            path,
            format=format,
            precision=precision,
            full_value=full_value,
            images=images,
            least_agreement=least_agreement,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Source:
    """What of a run goes into a file."""

    run: Run
    prediction: ClassPrediction
    networks: Sequence[nn.Module]
    activation: Literal["softmax", "sigmoid"]

    @classmethod
    def of(cls, run: Run) -> _Source:
        from segmint.recipes.class_prediction import ClassPrediction

        if not run.recipe.takes_dataset:
            raise UsageError(
                f"{run.folder} is a run of {run.record['recipe']}, whose answer follows from the "
                "whole image and not from a network alone, which no file can hold: apply it by "
                f"'segmint predict {run.folder} IMAGE...'"
            )
        prediction = ClassPrediction.of(run.folder, run.record, device="cpu", precision="float32")
        files, activation = _answering(run)
        return cls(
            run=run,
            prediction=prediction,
            networks=[prediction.network(file).requires_grad_(False) for file in files],
            activation=activation,
        )

    def module(self, full_value: float) -> ExportModule:
        """Everything between stored values and the answer."""
        from segmint.inference.export_module import ANSWERS, ExportModule

        resizes = self.prediction.preprocessing.resize > 0 and len(self.networks) == 1
        return ExportModule(
            self.networks,
            preprocessing=self.prediction.preprocessing,
            activation=self.activation,
            full_value=full_value,
            outputs=(*ANSWERS, "logits") if resizes else ANSWERS,
        )

    def record(self, module: ExportModule, precision: str) -> ExportRecord:
        """What the file says of itself."""
        prediction = self.prediction
        reach, memory = _reach_and_memory(self)
        return ExportRecord(
            recipe=str(self.run.record["recipe"]),
            peer=self.run.peer,
            seed=int(self.run.record["seed"]),
            classes=prediction.classes,
            palette=tuple((int(r), int(g), int(b)) for r, g, b in prediction.palette),
            channels=prediction.channels,
            channel_names=prediction.channel_names,
            preprocessing=prediction.preprocessing,
            full_value=module.full_value,
            activation=self.activation,
            precision=cast(Any, precision),
            outputs=module.outputs,
            reach=reach,
            bytes_per_pixel=memory,
            notes=_notes(self),
        )


def _written(
    source: _Source,
    path: Path,
    *,
    format: str,  # noqa: A002
    precision: str,
    full_value: float,
    images: Sequence[str | Path],
    least_agreement: float,
) -> Exported:
    from segmint.inference.export_check import Reference, check_answers, refuse_differences
    from segmint.recipes.export_pictures import export_pictures

    pictures, note = export_pictures(source.run, source.prediction, images)
    module = source.module(full_value)
    record = source.record(module, precision)
    record = replace(record, notes=(*record.notes, note) if note else record.notes)
    measured, compared = _divided(pictures, precision)
    file, opened = _file(module, format, measured if precision == "int8" else [], full_value)
    expected = Reference(
        networks=source.networks,
        preprocessing=source.prediction.preprocessing,
        activation=source.activation,
        full_value=full_value,
    )
    with atomic_path(path) as temporary:
        file.save(temporary, record)
        named = [(picture.name, picture.stored(full_value)) for picture in compared]
        answers = opened(temporary)
        checks = tuple(check_answers(answers, expected, module, named, seed=record.seed))
        refuse_differences(checks, precision=precision, least_agreement=least_agreement)
        record = replace(record, checks=tuple(check.as_dict() for check in checks))
        file.save(temporary, record)
    return Exported(path=path, record=record, checks=checks)


def _check_choices(format: str, precision: str) -> None:  # noqa: A002
    if format not in FORMATS:
        raise UsageError(f"--format is {shortened(format)!r}: {nearest(format, FORMATS)}")
    if precision == "bfloat16":
        raise UsageError(
            "--precision is bfloat16, which ONNX Runtime has no convolutions for on processors: "
            "export in float32 or int8; 'segmint predict RUN --precision bfloat16' computes in it"
        )
    if precision not in EXPORT_PRECISIONS:
        raise UsageError(
            f"--precision is {shortened(precision)!r}: {nearest(precision, EXPORT_PRECISIONS)}"
        )
    if precision == "int8" and format != "onnx":
        raise UsageError(f"--precision int8 is for --format onnx, not for {format}: leave one out")


def _place(
    run: Path,
    out: str | Path | None,
    *,
    format: str,  # noqa: A002
    peer: str | None,
    precision: str,
) -> Path:
    if out is not None:
        return _checked_place(Path(out), format)
    parts = [run.resolve().name or "run"]
    parts += [peer] if peer is not None else []
    parts += [precision] if precision != "float32" else []
    return Path("-".join(parts) + FORMATS[format])


def _checked_place(path: Path, format: str) -> Path:  # noqa: A002
    other = next((name for name, suffix in FORMATS.items() if path.suffix == suffix), format)
    if other != format:
        raise UsageError(
            f"--out is {path}, which ends like a file of {other}, but --format is {format}: change "
            "one of them"
        )
    return path


def _answering(run: Run) -> tuple[tuple[str, ...], Literal["softmax", "sigmoid"]]:
    """Files of the networks that answer, and what makes probabilities of their logits."""
    from segmint.recipes.peers_record import read_peers
    from segmint.recipes.supervised import NETWORK

    if run.peer is None:
        return (NETWORK,), run.record["activation"]
    told = read_peers(run.record)
    members = told.ensembles.get(run.peer) or {run.peer: told.files[run.peer]}
    return tuple(members.values()), "softmax"


def _reach_and_memory(source: _Source) -> tuple[Reach, float]:
    """Of all networks together, of which one answers after the other."""
    import torch

    from segmint.inference.member import Member
    from segmint.networks.reach import Reach

    members = [
        Member.of(
            network,
            preprocessing=source.prediction.preprocessing,
            activation=source.activation,
            device=torch.device("cpu"),
            dtype=torch.float32,
            name=str(source.run.folder),
        )
        for network in source.networks
    ]
    reaches = [member.reach for member in members]
    step = math.lcm(*(reach.step for reach in reaches))
    halos = [reach.halo for reach in reaches]
    mosts = [reach.most for reach in reaches if reach.most is not None]
    whole = None if None in halos else max(halo for halo in halos if halo is not None)
    joint = Reach(
        step=step,
        least=max(reach.least for reach in reaches),
        halo=None if whole is None else -(-whole // step) * step,
        most=min(mosts, default=None),
    )
    return joint, max(member.bytes_per_pixel for member in members)


def _notes(source: _Source) -> tuple[str, ...]:
    side = source.prediction.preprocessing.resize
    if not side:
        return ()
    return (
        f"the run sees images at a shorter side of {side} pixels, and so must the file: resize "
        "them first (linear, smoothed); 'segmint predict FILE' does it by itself",
    )


def _divided(
    pictures: Sequence[Picture], precision: str
) -> tuple[Sequence[Picture], Sequence[Picture]]:
    """Pictures to measure ranges on, and others to check the file on where there are several."""
    if precision == "float32":
        return (), pictures[:_CHECKED_IN_FLOAT]
    return pictures[::2], pictures[1::2] or pictures


def _file(
    module: ExportModule,
    format: str,  # noqa: A002
    measured: Sequence[Picture],
    full_value: float,
) -> tuple[_File, Callable[[Path], Answer]]:
    """The file to be, and what opens it again."""
    from segmint.inference import onnx_file, torch_export_file, torchscript_file

    if format == "torch-export":
        return torch_export_file.TorchExportFile.of(module), torch_export_file.opened
    if format == "torchscript":
        return torchscript_file.TorchScriptFile.of(module), torchscript_file.opened
    file = onnx_file.OnnxFile.of(module)
    if measured:
        from segmint.inference.quantization import quantized

        seen: list[NDArray[np.float32]] = [picture.stored(full_value) for picture in measured]
        classes = int(cast(Any, module.networks[0]).configuration["classes"])
        file = quantized(file, seen, channels=module.channels, classes=classes)
    return file, onnx_file.opened
