"""ONNX Runtime on the processor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, shortened

if TYPE_CHECKING:
    from onnx import ModelProto

_FATAL_ONLY = 4
"""Of the runtime's own log, because errors are raised as well."""
_PREFIX = re.compile(r".*?\[ONNXRuntimeError\] : \d+ : (\w+) : ", re.DOTALL)
_FUNCTION = re.compile(r"^/\S+ [^()]*(\([^()]*(\([^()]*\)[^()]*)*\))?( const)?")
"""The place in the runtime's source that many of its messages name."""
_END = re.compile(r"\n|[.!](\s|$)|:? ?(?<![\w.])/")


class OnnxSession:
    """A graph that is ready to compute.

    Args:
        model: with the inputs ``image`` and, where they can be given, ``statistics``.
        name: for messages.
        threads: of the processor; 0 takes as many as torch does.

    Raises:
        InputError: when the runtime cannot compute it.
    """

    def __init__(self, model: ModelProto, *, name: str, threads: int = 0) -> None:
        import onnxruntime
        import torch

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        options.intra_op_num_threads = threads or torch.get_num_threads()
        # Threads that wait in a loop for the next image would take the time of all others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._name, self._failures = name, _failures()
        try:
            # From memory, so that no other file can be read in its name.
            self._session: Any = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except self._failures as error:
            raise InputError(
                f"{name} cannot be run ({first_clause(error)}): export it again"
            ) from error
        values = (*self._session.get_inputs(), *self._session.get_outputs())
        self._shapes = {each.name: tuple(each.shape) for each in values}

    def declared(self, name: str) -> tuple[int | None, ...]:
        """Shape of an input or output as the graph tells it, None where that is left open."""
        return tuple(size if isinstance(size, int) else None for size in self._shapes[name])

    def __call__(
        self,
        image: NDArray[np.float32],
        statistics: NDArray[np.float32] | None = None,
        *,
        outputs: tuple[str, ...] = ("labels", "probabilities"),
    ) -> tuple[NDArray[Any], ...]:
        """Answers to images (N, C, H, W), in the order of ``outputs``.

        Args:
            image: in the units that the statistics are in.
            statistics: (2, C), what is subtracted and divided by; None takes those of the graph.
            outputs: names of answers.

        Raises:
            InputError: when the runtime fails.
            MemoryError: when it has not enough memory.
        """
        given = {"image": np.ascontiguousarray(image, np.float32)}
        if statistics is not None:
            given["statistics"] = np.ascontiguousarray(statistics, np.float32)
        try:
            return tuple(self._session.run(list(outputs), given))
        except self._failures as error:
            if "allocate memory" in str(error) or "bad_alloc" in str(error):
                raise MemoryError(first_clause(error)) from error
            size = "x".join(map(str, image.shape[-2:]))
            raise InputError(
                f"{self._name} fails on an image of {size} pixels ({first_clause(error)}): export "
                "it again"
            ) from error


def first_clause(error: Exception) -> str:
    """What a message of ONNX says first, without places in its source, as messages show it.

    Example:
        >>> first_clause(RuntimeError("[ONNXRuntimeError] : 1 : FAIL : /a.cc:3 void f() No. /b"))
        'No'
    """
    text = str(error).strip()
    found = _PREFIX.match(text)
    said = _FUNCTION.sub("", text[found.end() :] if found else text).strip()
    clause = _END.split(said, maxsplit=1)[0].strip()
    return shortened(clause or (found[1] if found else type(error).__name__))


def _failures() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.EPFail,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotFound,
        state.NotImplemented,
        state.RuntimeException,
        # What the runtime's own Python raises, and its C++ without a status.
        RuntimeError,
        ValueError,
    )
