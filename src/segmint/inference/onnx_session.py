"""ONNX Runtime on the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError

if TYPE_CHECKING:
    from onnx import ModelProto

_ERRORS_ONLY = 3
"""Of the runtime's own log."""


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
        options.log_severity_level = _ERRORS_ONLY
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
            raise InputError(f"{name} cannot be run ({_reason(error)}): export it again") from error
        self._names = {each.name for each in self._session.get_inputs()}

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
            reason = _reason(error)
            if "allocate memory" in reason or "bad_alloc" in reason:
                raise MemoryError(reason) from error
            size = "x".join(map(str, image.shape[-2:]))
            raise InputError(
                f"{self._name} fails on an image of {size} pixels ({reason}): export it again"
            ) from error


def _failures() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotFound,
        state.NotImplemented,
        state.RuntimeException,
    )


def _reason(error: Exception) -> str:
    """The first line, without the runtime's own prefix and punctuation."""
    line = str(error).strip().splitlines()[0].rpartition("[ONNXRuntimeError] : ")[2]
    return line.rstrip(".! ")[:200]
