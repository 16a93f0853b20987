"""Files of ONNX: written as one, with a description inside, and read without trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.images.reading import check_regular
from segmint.inference.export_record import ENTRY, ExportRecord
from segmint.inference.onnx_packages import check_onnx_packages
from segmint.inference.onnx_session import OnnxSession, first_clause

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

    from segmint.inference.export_module import ExportModule

SUFFIX = ".onnx"
MOST_BYTES = 2**31 - 2**20
"""What one file can hold, 2 GiB, with room for all that is not weights."""

_OPSET = 18
_DOMAINS = ("", "ai.onnx")
_STATISTICS = "statistics"
_SIDES = ("batch", None, "height", "width")


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxFile:
    """A graph with the inputs ``image`` and ``statistics``, of which a file has the first alone."""

    model: ModelProto
    statistics: NDArray[np.float32]
    """(2, C), what the file subtracts from each channel and divides it by."""

    @classmethod
    def of(cls, module: ExportModule) -> Self:
        """The graph of a module.

        Raises:
            InputError: when the packages are missing, or the network cannot be exported.
            UsageError: when it is too large.
        """
        check_onnx_packages("an ONNX file")
        _check_size(module)
        import torch

        from segmint.inference.recording import quiet, recorded, refused_in_words

        program = recorded(module, with_statistics=True)
        with refused_in_words("torch.onnx"), quiet():
            exported = torch.onnx.export(
                program,
                (),
                dynamo=True,
                opset_version=_OPSET,
                input_names=["image", _STATISTICS],
                output_names=list(module.outputs),
                verbose=False,
            )
        assert exported is not None  # because dynamo was asked for
        model = exported.model_proto
        _name_sides(model)
        return cls(model=model, statistics=module.statistics.numpy().copy())

    def save(self, path: Path, record: ExportRecord) -> None:
        """Write one file with weights and description inside."""
        import onnx
        from onnx import numpy_helper

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        graph = model.graph
        graph.initializer.append(numpy_helper.from_array(self.statistics, _STATISTICS))
        (given,) = (each for each in graph.input if each.name == _STATISTICS)
        graph.input.remove(given)
        onnx.helper.set_model_props(model, {ENTRY: record.as_json()})
        path.write_bytes(model.SerializeToString())


def read_onnx(path: Path) -> tuple[OnnxFile, ExportRecord]:
    """What ``segmint export`` wrote, refused unless it holds nothing else.

    Raises:
        InputError: when the packages are missing, or the file is missing, damaged, not ours, of a
            later version, or brings operators or files of its own.
    """
    check_onnx_packages(f"{path}")
    import onnx

    check_regular(path)
    model = _parsed(path)
    texts = {each.key: each.value for each in model.metadata_props}
    if ENTRY not in texts:
        raise InputError(
            f"{path} was not written by 'segmint export' (it says nothing of its classes and "
            "channels): give a file that was"
        )
    _check_is_alone(model, path)
    try:
        record = ExportRecord.from_json(texts[ENTRY])
        onnx.checker.check_model(model)
        file = _with_statistics(model, record)
    except InputError as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    except (onnx.checker.ValidationError, ValueError) as error:
        raise InputError(f"{path} is damaged ({first_clause(error)}): export it again") from error
    return file, record


def opened(path: Path) -> OnnxSession:
    """The file as any runtime would compute it, with the statistics that are in it."""
    import onnx

    return OnnxSession(onnx.load_model_from_string(path.read_bytes()), name=path.name)


def _check_size(module: ExportModule) -> None:
    weights = sum(each.numel() * each.element_size() for each in module.parameters())
    if weights > MOST_BYTES:
        raise UsageError(
            f"the network has {weights / 2**30:.1f} GiB of weights, but an ONNX file holds less "
            "than 2 GiB: pass --format torch-export"
        )


def _name_sides(model: ModelProto) -> None:
    """Give the sizes that a user may choose names that say what they are."""
    graph = model.graph
    (image,) = (each for each in graph.input if each.name == "image")
    names = {
        dimension.dim_param: side
        for dimension, side in zip(_dimensions(image), _SIDES, strict=True)
        if side is not None and dimension.dim_param
    }
    for value in (*graph.input, *graph.output):
        for dimension in _dimensions(value):
            if dimension.dim_param in names:
                dimension.dim_param = names[dimension.dim_param]
    # They speak of sizes by names that are gone, and every runtime finds them out by itself.
    del graph.value_info[:]


def _dimensions(value: ValueInfoProto) -> Any:
    return value.type.tensor_type.shape.dim


def _parsed(path: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        size = path.stat().st_size
        if size > 2**31:
            raise InputError(
                f"{path} has {size / 2**30:.1f} GiB, but an ONNX file that segmint writes has less "
                "than 2: give another"
            )
        return onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise InputError(
            f"{path} is damaged or no ONNX file: give a file that 'segmint export' wrote"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}): give a file that "
            "'segmint export' wrote"
        ) from error


def _check_is_alone(model: ModelProto, path: Path) -> None:
    """Refuse other files, operators that are not ONNX's own, and graphs within graphs."""
    if any(each.data_location or each.external_data for each in _tensors(model)):
        raise InputError(
            f"{path} keeps weights in other files, which segmint never writes and does not read: "
            "give a file that 'segmint export' wrote"
        )
    domains = {node.domain for node in model.graph.node} | {
        each.domain for each in model.opset_import
    }
    foreign = sorted(domains - set(_DOMAINS))
    nests = any(_has_graph(node) for node in model.graph.node)
    if foreign or model.functions or nests or model.graph.sparse_initializer:
        what = f"operators of {foreign[0]:.40}" if foreign else "functions or graphs of its own"
        raise InputError(
            f"{path} brings {what}, which segmint never writes and does not run: give a file that "
            "'segmint export' wrote"
        )


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _has_graph(node: NodeProto) -> bool:
    return any(each.HasField("g") or len(each.graphs) for each in node.attribute)


def _with_statistics(model: ModelProto, record: ExportRecord) -> OnnxFile:
    """The graph with the statistics as an input, so that a caller can normalize by itself."""
    import onnx
    from onnx import numpy_helper

    graph = model.graph
    constants: Mapping[str, TensorProto] = {each.name: each for each in graph.initializer}
    inputs, outputs = ([each.name for each in values] for values in (graph.input, graph.output))
    shape = (2, record.channels)
    if inputs != ["image"] or tuple(outputs) != record.outputs or _STATISTICS not in constants:
        raise ValueError("it has other inputs or outputs than it says")
    channels = [each.dim_value for each in _dimensions(graph.input[0])][1:2]
    if channels not in ([0], [record.channels]):  # 0 where it is left open
        raise ValueError("it takes images of other channels than it says")
    statistics = numpy_helper.to_array(constants[_STATISTICS])
    if statistics.shape != shape or statistics.dtype != np.float32:
        raise ValueError("its statistics are of another shape than it says")
    graph.initializer.remove(constants[_STATISTICS])
    kind = onnx.TensorProto.FLOAT
    graph.input.append(onnx.helper.make_tensor_value_info(_STATISTICS, kind, shape))
    return OnnxFile(model=model, statistics=statistics)
