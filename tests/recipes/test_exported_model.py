from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from segmint.errors import InputError, UsageError
from segmint.images import Image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import Views
from segmint.recipes.answering import Answering
from segmint.recipes.ensemble import Ensemble
from segmint.recipes.export import export
from segmint.recipes.exported_model import ExportedModel
from segmint.recipes.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from export_example import CLASSES, picture, save_pictures, write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``plain`` and ``small``, which sees images at another size, and their files."""
    folder = tmp_path_factory.mktemp("models")
    pictures = save_pictures(folder / "pictures")
    write_run(folder / "plain", normalization="image")
    write_run(folder / "small", resize=16, activation="sigmoid")
    for name in ("plain", "small"):
        export(folder / name, folder / f"{name}.onnx", images=[pictures])
    return folder


@pytest.fixture
def model(folder: Path) -> ExportedModel:
    return ExportedModel(folder / "plain.onnx")


def probabilities(source: Answering, image: Any, **options: Any) -> np.ndarray:
    compute = source.segment(image, **options).compute_probabilities
    assert compute is not None
    return compute()


@pytest.mark.parametrize("name", ["plain", "small"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_file_predicts_like_its_run(folder: Path, name: str, kind: type) -> None:
    run = Run(folder / name, precision="float32")
    model = ExportedModel(folder / f"{name}.onnx")
    image = picture(3, 37, 50, kind)
    assert probabilities(model, image) == pytest.approx(probabilities(run, image), abs=3e-5)
    found, expected = model.segment(image), run.segment(image)
    assert (found.labels == expected.labels).mean() > 0.999
    assert dict(found.names) == dict(enumerate(CLASSES))
    assert found.method == expected.method
    assert found.options == {"model": str(folder / f"{name}.onnx"), "precision": "float32"}


def test_stacks_and_regions(folder: Path, model: ExportedModel) -> None:
    stack = Image.from_array(np.stack([picture(1), picture(2)]), stack=True)
    region = np.zeros((2, 45, 38), bool)
    region[:, 5:30] = True
    labels = model.predict(stack, region=region)
    expected = Run(folder / "plain", precision="float32").predict(stack, region=region)
    assert (labels == expected).mean() > 0.999
    assert (labels[~region] == -1).all()


def test_tiles_and_views_are_those_of_the_run(folder: Path, model: ExportedModel) -> None:
    """A file has the reach of its network, so that its tiles are exact."""
    scene = ArrayScene.of_array(picture(4, 150, 170))
    window = Window.whole(150, 170)
    whole = TiledPrediction([model.member]).probabilities(scene, window)
    tiled = TiledPrediction([model.member], tile=64)
    assert tiled.probabilities(scene, window) == pytest.approx(whole, abs=3e-5)
    views = TiledPrediction([model.member], views=Views(flips=True))
    upside_down = ArrayScene.of_array(picture(4, 150, 170)[::-1])
    assert views.probabilities(scene, window) == pytest.approx(
        views.probabilities(upside_down, window)[:, ::-1], abs=3e-5
    )


def test_it_answers_together_with_its_run(folder: Path, model: ExportedModel) -> None:
    """Both are the same network, so that their mean is what each says."""
    image = picture(5)
    both = Ensemble([model, Run(folder / "plain", precision="float32")])
    assert probabilities(both, image) == pytest.approx(probabilities(model, image), abs=3e-5)
    outcome = model.of_scene(ArrayScene.of_array(image))
    window = Window(top=3, bottom=20, left=4, right=38)
    part = outcome.answer.probabilities(ArrayScene.of_array(image), window)
    whole = probabilities(model, image)
    assert part == pytest.approx(whole[:, *window.slices], abs=3e-5)


def test_it_answers_what_commands_ask_of_a_run(folder: Path, model: ExportedModel) -> None:
    assert (model.method, model.seed, model.classes) == ("run of unet", 0, 3)
    assert (model.peer, model.are_several, model.arithmetic) == (None, False, None)
    assert repr(model) == f"<ExportedModel of unet, 3 classes: {folder / 'plain.onnx'}>"


def test_other_channels_are_refused(model: ExportedModel) -> None:
    with pytest.raises(InputError, match="image has 1 channels, the run learned on 3: give images"):
        model.segment(np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"device": "cuda"}, "computes on the processor"),
        ({"precision": "bfloat16"}, "was exported in float32"),
        ({"peer": "a"}, "answers with what it was exported of"),
    ],
)
def test_options_that_a_file_does_not_have(
    folder: Path, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        ExportedModel(folder / "plain.onnx", **options)  # type: ignore[arg-type]


def _without_description(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def _told(change: Callable[[dict[str, Any]], Any]) -> Callable[[onnx.ModelProto], None]:
    def changed(model: onnx.ModelProto) -> None:
        told = json.loads(model.metadata_props[0].value)
        change(told)
        model.metadata_props[0].value = json.dumps(told)

    return changed


def _without_own_number(model: onnx.ModelProto) -> None:
    _with_classes(5)(model)
    for output in model.graph.output:
        for dimension in output.type.tensor_type.shape.dim:
            dimension.ClearField("dim_value")


def _with_reach(reach: dict[str, int]) -> Callable[[onnx.ModelProto], None]:
    return _told(lambda told: told["reach"].update(reach))


def _with_classes(number: int) -> Callable[[onnx.ModelProto], None]:
    palette = [[1, 2, 3]] * number
    return _told(lambda told: told.update(classes=["a"] * number, palette=palette))


def _with_channels(model: onnx.ModelProto) -> None:
    """Lies together, of the description and of the statistics."""
    four = {"mean": [0.5] * 4, "deviation": [0.5] * 4}
    _told(lambda told: told.update(channels=4))(model)
    _told(lambda told: told["preprocessing"].update(four))(model)
    constants = model.graph.initializer
    (statistics,) = (each for each in constants if each.name == "statistics")
    statistics.CopyFrom(onnx.numpy_helper.from_array(np.ones((2, 4), np.float32), "statistics"))


def _with_later_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 9999


def _with_garbage(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = "[" * 100_000


def _with_too_much(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = '"' + "a" * 2_000_000 + '"'


def _with_another_file(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def _with_hidden_file(model: onnx.ModelProto) -> None:
    node = onnx.helper.make_node("Constant", [], ["hidden"])
    tensor = onnx.TensorProto(name="hidden", data_location=onnx.TensorProto.EXTERNAL)
    node.attribute.append(onnx.helper.make_attribute("value", tensor))
    model.graph.node.insert(0, node)


def _with_own_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.example"


def _with_nested_graph(model: onnx.ModelProto) -> None:
    graph = onnx.helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("body", graph))


def _with_other_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "something"


def _with_unknown_input(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "nowhere"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without_description, "was not written by 'segmint export'"),
        (_told(lambda told: told.update(version=2)), "written by a later version .segmint"),
        (_told(lambda told: told.update(version="1")), "damaged .no usable version"),
        (_told(lambda told: told.update(version=True)), "damaged .no usable version"),
        *((_with_classes(n), rf"has 3 classes, .* says {n}:") for n in (1, 2, 5, 60_000)),
        (_without_own_number, "has 3 classes, .* says 5:"),
        (_with_channels, "takes images of other channels than it says"),
        *(
            (_with_reach(reach), "no usable")
            for reach in (
                {"most": 0},
                {"most": 1, "step": 1},
                {"most": 3},
                {"most": 100, "least": 101},
                {"halo": 3},
                {"halo": -4},
                *({name: 2**17} for name in ("step", "least", "halo", "most")),
            )
        ),
        (_told(lambda told: told.update(bytes_per_pixel=2e6)), "no usable bytes_per_pixel"),
        (_with_later_opset, "bad.onnx is damaged|bad.onnx cannot be run"),
        (_told(lambda told: told.update(palette=[])), "damaged .no usable palette"),
        (_told(lambda told: told.update(channels=4)), "damaged .no usable channels"),
        (_told(lambda told: told.update(full_value=0)), "damaged .no usable full_value"),
        (_told(lambda told: told["reach"].update(step=0)), "damaged .no usable reach"),
        (_told(lambda told: told["preprocessing"].update(mean=[])), "mean is"),
        (_with_garbage, "its description is damaged"),
        (_with_too_much, "its description is damaged"),
        (_with_another_file, "keeps weights in other files"),
        (_with_hidden_file, "keeps weights in other files"),
        (_with_own_operator, "brings operators of com.example"),
        (_with_nested_graph, "brings functions or graphs of its own"),
        (_with_other_output, "is damaged .*"),
        (_with_unknown_input, "is damaged .*"),
    ],
)
def test_files_that_are_refused(folder: Path, tmp_path: Path, change: Any, sentence: str) -> None:
    model = onnx.load(folder / "plain.onnx")
    change(model)
    path = tmp_path / "bad.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=sentence) as refusal:
        ExportedModel(path)
    assert "bad.onnx" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "onnxruntime_src" not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 1, 1000, -1000])
def test_files_that_are_cut_short(folder: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "short.onnx"
    path.write_bytes((folder / "plain.onnx").read_bytes()[:kept])
    with pytest.raises(InputError, match=r"short\.onnx"):
        ExportedModel(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            ExportedModel(path)
