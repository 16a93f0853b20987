from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError, UsageError
from segmint.inference import onnx_file, onnx_packages
from segmint.inference.export_module import ExportModule
from segmint.inference.onnx_file import OnnxFile
from segmint.networks.storage import load_network
from segmint.recipes import export as exporting
from segmint.recipes.export import Exported, export
from segmint.recipes.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from export_example import CLASSES, DEVIATION, MEAN, picture, save_pictures, write_peers, write_run

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

SIZES = ((1, 1), (4, 4), (13, 22), (37, 24))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pictures(tmp_path_factory.mktemp("export") / "pictures")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("plain") / "run")


@pytest.fixture(scope="module")
def graph(run: Path) -> OnnxFile:
    """Of the run, made once, because that takes seconds."""
    network = load_network(run / "network.safetensors")
    preprocessing = Preprocessing(mean=MEAN, deviation=DEVIATION)
    return OnnxFile.of(ExportModule([network], preprocessing=preprocessing, activation="softmax"))


@pytest.fixture
def made(graph: OnnxFile, monkeypatch: pytest.MonkeyPatch) -> OnnxFile:
    """The graph, in place of a new one, for a test to spoil."""
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    found = OnnxFile(model=model, statistics=graph.statistics)
    monkeypatch.setattr(OnnxFile, "of", lambda module: found)
    return found


def written(run: Path, pictures: Path, out: Path, **options: Any) -> Exported:
    return export(run, out / "file", images=[pictures], **options)


def probabilities(run: Run, image: np.ndarray) -> np.ndarray:
    compute = run.segment(image).compute_probabilities
    assert compute is not None
    return compute()


def answers(path: Path, images: list[np.ndarray], kind: str) -> tuple[np.ndarray, ...]:
    """What a program without segmint gets."""
    batch = np.stack([image.transpose(2, 0, 1) for image in images]).astype(np.float32)
    if kind == "onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return tuple(session.run(["labels", "probabilities"], {"image": batch}))
    opened = torch.export.load(path).module() if kind == "torch-export" else torch.jit.load(path)
    return tuple(each.numpy() for each in opened(torch.from_numpy(batch))[:2])


def check(
    path: Path, kind: str, run: Run, kinds: type = np.uint8, sizes: tuple[Any, ...] = SIZES
) -> None:
    for height, width in sizes:
        images = [picture(seed, height, width, kinds) for seed in range(2)]
        labels, found = answers(path, images, kind)
        for image, label, each in zip(images, labels, found, strict=True):
            expected = probabilities(run, image)
            assert each == pytest.approx(expected, abs=3e-5)
            first, second = np.sort(expected, axis=0)[:-3:-1]
            clear = first - second > 1e-4
            assert np.array_equal(label[clear], expected.argmax(axis=0)[clear])


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_a_file_answers_what_the_run_answers(
    run: Path, pictures: Path, tmp_path: Path, kind: str
) -> None:
    found = written(run, pictures, tmp_path, format=kind)
    check(found.path, kind, Run(run, precision="float32"))
    assert [(each.images, each.is_real) for each in found.checks] == [
        (1, False),
        (3, False),
        (2, False),
        (1, True),
        (1, True),
    ]
    assert max(each.difference for each in found.checks) < 1e-5


def test_statistics_of_each_image(tmp_path: Path, pictures: Path) -> None:
    """Of the image, and of what each layer makes of it; the images of a batch stay apart."""
    run = write_run(
        tmp_path / "run",
        normalization="image",
        activation="sigmoid",
        options={"normalization": "instance"},
    )
    found = written(run, pictures, tmp_path, format="torchscript")
    check(found.path, "torchscript", Run(run, precision="float32"))


def test_an_ensemble_of_16_bits(tmp_path: Path, pictures: Path) -> None:
    run = write_peers(tmp_path / "run", normalization="image")
    found = written(run, pictures, tmp_path, full_value=65535)
    check(found.path, "onnx", Run(run, precision="float32"), np.uint16)
    assert (found.record.peer, found.record.reach.step) == ("ensemble", 8)


def test_one_peer(tmp_path: Path, pictures: Path) -> None:
    run = write_peers(tmp_path / "run")
    found = written(run, pictures, tmp_path, format="torchscript", peer="b")
    check(found.path, "torchscript", Run(run, precision="float32", peer="b"))
    with pytest.raises(UsageError, match=r"--peer is 'c', which .* does not have"):
        written(run, pictures, tmp_path / "other", peer="c")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("smp:deeplabv3plus/resnet18", "torchscript"), ("unet-original", "torch-export")],
)
def test_other_networks(tmp_path: Path, pictures: Path, name: str, kind: str) -> None:
    run = write_run(tmp_path / "run", name=name)
    found = written(run, pictures, tmp_path, format=kind)
    check(found.path, kind, Run(run, precision="float32"), sizes=(*SIZES, (70, 97)))


@pytest.mark.usefixtures("made")
def test_a_file_says_what_it_is(run: Path, pictures: Path, tmp_path: Path) -> None:
    path = written(run, pictures, tmp_path).path
    model = onnx.load(path)
    (text,) = (each.value for each in model.metadata_props if each.key == "segmint")
    told = json.loads(text)
    assert (told["recipe"], told["classes"], told["channels"]) == ("unet", [*CLASSES], 3)
    assert (told["full_value"], told["resize"], told["reach"]["step"]) == (255.0, 0, 4)
    assert [each["name"] for each in told["checks"]] == [
        *["random"] * 3,
        "0.png",
        "1.png",
    ]
    (image,) = model.graph.input
    sides = [each.dim_param or each.dim_value for each in image.type.tensor_type.shape.dim]
    assert sides == ["batch", 3, "height", "width"]
    assert not any(each.data_location for each in model.graph.initializer)
    assert {each.domain for each in model.opset_import} == {""}
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("made")
def test_8_bits(run: Path, pictures: Path, tmp_path: Path) -> None:
    found, again = (
        written(run, pictures, tmp_path / name, precision="int8", least_agreement=0.9)
        for name in ("first", "second")
    )
    models = [onnx.load(each.path) for each in (found, again)]
    assert models[0].graph == models[1].graph
    assert "QuantizeLinear" in [node.op_type for node in models[0].graph.node]
    (real,) = (each for each in found.checks if each.is_real)
    labels, maps = answers(found.path, [picture(1)], "onnx")
    expected = probabilities(Run(run, precision="float32"), picture(1))
    assert real.equal == pytest.approx((labels[0] == expected.argmax(axis=0)).mean())
    assert real.equal >= 0.9
    assert real.difference == pytest.approx(np.abs(maps[0] - expected).max(), abs=1e-6)
    assert real.difference > 0


def spoil_bias(file: OnnxFile, add: float) -> None:
    """Of the first class."""
    (bias,) = (each for each in file.model.graph.initializer if each.name.endswith("head.bias"))
    values = numpy_helper.to_array(bias) + np.array([add, 0, 0], np.float32)
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))


@pytest.mark.parametrize(("add", "what"), [(0.5, r"by 0\.\d+"), (np.nan, "by nan")])
def test_a_broken_graph_is_not_written(
    run: Path, pictures: Path, made: OnnxFile, tmp_path: Path, add: float, what: str
) -> None:
    spoil_bias(made, add)
    with pytest.raises(InputError, match=f"differs from the run {what} in a probability"):
        written(run, pictures, tmp_path)
    assert not any(tmp_path.iterdir())


def test_wrong_labels_are_not_written(
    run: Path, pictures: Path, made: OnnxFile, tmp_path: Path
) -> None:
    (node,) = (each for each in made.model.graph.node if each.op_type == "ArgMax")
    node.op_type = "ArgMin"
    with pytest.raises(InputError, match="another label than the run though the classes are not"):
        written(run, pictures, tmp_path)
    assert not any(tmp_path.iterdir())


def test_8_bits_that_change_labels_are_not_written(
    run: Path, pictures: Path, made: OnnxFile, tmp_path: Path
) -> None:
    spoil_bias(made, 2)
    with pytest.raises(InputError, match=r"in int8 .* at [\d.]+ % of the pixels, asked for is 98"):
        written(run, pictures, tmp_path, precision="int8")
    assert not any(tmp_path.iterdir())


def test_a_finished_file_stays(run: Path, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already: pass --overwrite"):
        written(run, pictures, tmp_path)
    with pytest.raises(UsageError, match="is there already: name a file"):
        export(run, tmp_path)
    with pytest.raises(UsageError, match=r"ends like a file of torchscript, but --format is onnx"):
        export(run, tmp_path / "a.pt")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"format": "onx"}, "--format is 'onx': did you mean 'onnx'"),
        ({"precision": "bfloat16"}, "no convolutions for on processors"),
        ({"precision": "int4"}, "--precision is 'int4'"),
        ({"precision": "int8", "format": "torchscript"}, "int8 is for --format onnx"),
    ],
)
def test_options_that_do_not_fit(run: Path, options: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        export(run, run.parent / "file", **options)  # type: ignore[arg-type]


def test_missing_packages_are_named(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_packages, "_PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(InputError, match=r"no_such_package, which is not .*'segmint\[onnx\]'"):
        written(run, pictures, tmp_path)


def test_a_file_has_an_end(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match="holds less than 2 GiB: pass --format torch-export"):
        written(run, pictures, tmp_path)


def test_pictures_with_other_channels(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "grey.npy", np.zeros((9, 9), np.uint8))
    with pytest.raises(InputError, match=r"grey\.npy: image has 1 channels, the run learned on 3"):
        export(run, tmp_path / "file", images=[tmp_path / "grey.npy"])


def test_everyday_pictures_stand_in(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exporting, "_CHECKED_IN_FLOAT", 1)
    found = export(run, format="torchscript")
    assert found.path == Path("run.pt")
    assert "give some of yours by --images" in found.record.notes[-1]
    assert [each.name for each in found.checks if each.is_real] == ["astronaut.png"]
