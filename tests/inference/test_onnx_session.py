from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from segmint.errors import InputError
from segmint.inference.onnx_session import OnnxSession, first_clause


def model(opset: int = 18, memory: int = 1) -> onnx.ModelProto:
    """Twice the image, beside zeros that take ``4 * memory * memory`` bytes."""
    shape: list[str | int | None] = ["batch", 2, "height", "width"]
    image, answer = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("image", "probabilities")
    )
    nodes = [
        helper.make_node("ConstantOfShape", ["sides"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["image", "image"], ["twice"]),
        helper.make_node("Add", ["twice", "zero"], ["probabilities"]),
    ]
    sides = numpy_helper.from_array(np.array([memory, memory], np.int64), "sides")
    graph = helper.make_graph(nodes, "g", [image], [answer], [sides])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])


def test_what_it_declares_and_answers() -> None:
    session = OnnxSession(model(), name="a.onnx")
    assert session.declared("image") == session.declared("probabilities") == (None, 2, None, None)
    image = np.random.default_rng(0).random((1, 2, 3, 4), np.float32)
    np.testing.assert_array_equal(session(image, outputs=("probabilities",))[0], 2 * image)


def test_failures_are_one_short_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError) as caught:
        OnnxSession(model(opset=9999), name="a.onnx")
    assert str(caught.value).startswith("a.onnx cannot be run (ONNX Runtime only ")
    assert "/" not in str(caught.value)
    session = OnnxSession(model(), name="a.onnx")
    with pytest.raises(InputError, match=r"4x5 pixels \(Got invalid dimensions for input: image"):
        session(np.zeros((1, 3, 4, 5), np.float32), outputs=("probabilities",))
    with pytest.raises(InputError, match=r"4x5 pixels \("):
        session(np.zeros((1, 2, 4, 5), np.float32), outputs=("none",))
    assert capfd.readouterr() == ("", "")


def test_memory_that_is_not_there_is_known_from_the_whole_message(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises((MemoryError, InputError)) as caught:
        session = OnnxSession(model(memory=10**8), name="a.onnx")  # 40 PB
        session(np.zeros((1, 2, 4, 5), np.float32), outputs=("probabilities",))
    assert caught.type is MemoryError
    assert "/" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("message", "clause"),
    [
        ("", "RuntimeError"),
        ("boom\nsecond", "boom"),
        ("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : /src/a.cc:5 void f()", "RUNTIME_EXCEPTION"),
        (
            "[ONNXRuntimeError] : 1 : FAIL : /onnxruntime_src/a.h:46 void a::b(const c::d<e<f>, "
            "int>&, std::function<int (int)>) const It is 3.5 of 4. More at /x",
            "It is 3.5 of 4",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : While running X node. Name:'' Status Message: /a.cc",
            "While running X node",
        ),
    ],
)
def test_first_clauses(message: str, clause: str) -> None:
    assert first_clause(RuntimeError(message)) == clause
