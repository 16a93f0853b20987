"""Networks that teach each other, by the commands a user types."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.numpy import load_file
from scipy.stats import entropy

import segmint
from segmint.cli import run as run_command
from segmint.errors import InputError, UsageError
from segmint.images import read_labels
from segmint.networks.storage import load_network
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_peers, score_run
from segmint.recipes.splits import open_again
from segmint.solvers.mutual_task import MutualTask

sys.path.insert(0, str(Path(__file__).parent))
from scenes import scene, write_scenes

SMALL = (
    *("--crop", "32", "--resize", "0", "--augmentation", "flip", "--batch-size", "2"),
    *("--epochs", "2", "--steps-per-epoch", "3", "--val-fraction", "0.25", "--quiet"),
)
PAIR = ("--peers", "a=unet", "b=unet")
SIZES = ("a.features=4", "a.levels=2", "b.features=6", "b.levels=1")
MUTUAL = ("train", "mutual", "scenes", *SMALL, *PAIR)
TRAIN = (*MUTUAL, "--peer-options", *SIZES)
EVERYONE = ("a", "b", "ensemble", "a-solo", "b-solo", "ensemble-solo")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``scenes``, five pictures ``more`` without masks, and a run ``run``."""
    root = tmp_path_factory.mktemp("made")
    write_scenes(root / "scenes", "night\ndisk\nbar\n")
    (root / "more").mkdir()
    for seed in range(5):
        Pillow.fromarray(scene(100 + seed)[0]).save(root / "more" / f"{seed}.png")
    call = [*TRAIN, "--solo", "--out", str(root / "run")]
    call[call.index("scenes")] = str(root / "scenes")
    assert run_command(call) == 0
    return root


def record_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "run.json").read_text())
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def answers_of(network: Path, image: np.ndarray, record: dict[str, Any]) -> np.ndarray:
    """(K, H, W) probabilities by a network's file alone."""
    told = record["preprocessing"]
    pixels = (image / 255.0 - told["mean"]) / told["deviation"]
    tensor = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        return load_network(network).eval()(tensor)[0].softmax(dim=0).numpy()


def test_training_writes_every_network(made: Path) -> None:
    record = record_of(made / "run")
    names = ["a", "b", "a-solo", "b-solo"]
    assert [peer["name"] for peer in record["peers"]] == names
    assert [peer["solo"] for peer in record["peers"]] == [False, False, True, True]
    assert {peer["network"] for peer in record["peers"]} == {"unet"}
    for peer in record["peers"]:
        sizes = load_network(made / "run" / peer["file"]).configuration
        assert sizes["features"] == (4 if peer["name"].startswith("a") else 6)
    rows = rows_of(made / "run" / "log.csv")
    for peer in record["peers"]:
        scores = [float(row[f"val_{peer['name']}/mean_iou"]) for row in rows]
        assert peer["best"]["score"] == pytest.approx(max(scores))
        assert peer["best"]["epoch"] == 1 + int(np.argmax(scores))
    for ensemble, told in record["ensembles"].items():
        scores = [float(row[f"val_{ensemble}/mean_iou"]) for row in rows]
        assert told["best"]["score"] == pytest.approx(max(scores))
        assert told["best"]["epoch"] == 1 + int(np.argmax(scores))
    together, apart = (record["ensembles"][name] for name in ("ensemble", "ensemble-solo"))
    scores = {peer["name"]: peer["best"]["score"] for peer in record["peers"] if not peer["solo"]}
    scores["ensemble"] = together["best"]["score"]
    assert scores[record["chosen"]] == max(scores.values())
    assert record["best"]["score"] == scores[record["chosen"]]
    told = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    twins = {peer["name"]: peer["best"]["score"] for peer in record["peers"] if peer["solo"]}
    alone = f"alone: a {twins['a-solo']:.3f}, b {twins['b-solo']:.3f}"
    alone += f", ensemble {apart['best']['score']:.3f}"
    assert record["summary"] == (
        f"learned 3 classes from 6 images, validation mean IoU: {told}; {alone}"
    )


def test_every_peer_can_be_asked(run: Path, here: Path, succeeds: Any) -> None:
    image = scene(0)[0]
    record = record_of(run)
    everyone = Run(run).answers(image)
    assert set(everyone) == set(EVERYONE) == set(Run(run).peers)
    members = {
        **{peer["name"]: {peer["name"]: peer["file"]} for peer in record["peers"]},
        **{name: told["members"] for name, told in record["ensembles"].items()},
    }
    for name in EVERYONE:
        call = ("predict", "run", "scenes/images/0.png", "--peer", name, "--out", name)
        succeeds(*call, "--probabilities", "--quiet", "--precision", "float32")
        expected = np.mean(
            [answers_of(run / file, image, record) for file in members[name].values()], axis=0
        )
        opened = Run(run, peer=name, precision="float32")
        found = opened.segment(image)
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
        labels = read_labels(here / name / "0" / "labels.png")
        assert np.array_equal(labels, found.labels)
        assert np.array_equal(labels, opened.answers(image)[name])


def test_the_best_one_answers_unasked(run: Path, here: Path, succeeds: Any) -> None:
    chosen = record_of(run)["chosen"]
    call = ("predict", "run", "scenes/images/0.png", "--quiet")
    succeeds(*call)
    result = json.loads((here / "segmint-out" / "0" / "result.json").read_text())
    assert result["options"]["peer"] == chosen == Run(run).peer
    assert "made with other options" not in succeeds(*call, "--peer", chosen)[1]
    other = "a" if chosen != "a" else "b"
    assert "1 skipped result made with other options" in succeeds(*call, "--peer", other)[1]


@pytest.mark.parametrize(
    ("asked", "ensemble"),
    [(("a", "ensemble"), "ensemble"), (("b-solo", "ensemble-solo"), "ensemble-solo")],
)
def test_disagreement_of_an_ensemble(run: Path, asked: tuple[str, ...], ensemble: str) -> None:
    image, record = scene(0)[0], record_of(run)
    members = record["ensembles"][ensemble]["members"].values()
    answers = [answers_of(run / file, image, record).astype(np.float64) for file in members]
    mean_of_entropies = np.mean([entropy(each, base=2) for each in answers], axis=0)
    expected = entropy(np.mean(answers, axis=0), base=2) - mean_of_entropies
    region = np.zeros((40, 48), bool)
    region[5:30] = True
    for peer in asked:
        found = Run(run, peer=peer, precision="float32").segment(image, region=region)
        assert found.uncertainty is not None
        np.testing.assert_allclose(found.uncertainty[region], expected[region], atol=1e-5)
        assert not found.uncertainty[~region].any()


def test_evaluation_of_every_peer(run: Path, succeeds: Any) -> None:
    record = record_of(run)
    best = {each["name"]: each["best"]["score"] for each in record["peers"]}
    best["ensemble"] = record["ensembles"]["ensemble"]["best"]["score"]
    opened = Run(run)
    dataset = open_again(opened)
    everyone = score_peers(opened, dataset)
    assert set(everyone) == set(EVERYONE)
    for name in EVERYONE:
        one = score_run(Run(run, peer=name), dataset)
        assert np.array_equal(one.confusion.counts, everyone[name].confusion.counts)
        assert one.image_means() == everyone[name].image_means()
    for name in ("b-solo", "ensemble"):
        output, _ = succeeds("evaluate", "run", "scenes", "--peer", name, "--json", "--quiet")
        found = json.loads(output)
        assert found["peer"] == name
        assert found["scores"]["mean_iou"] == pytest.approx(best[name], abs=1e-5)
    output, _ = succeeds("report", "run", "--examples", "0", "--json", "--quiet")
    told = {name: each["mean_iou"] for name, each in json.loads(output)["peers"].items()}
    assert set(told) == set(EVERYONE)
    assert {name: told[name] for name in best} == pytest.approx(best, abs=1e-5)
    output, _ = succeeds("report", "run", "--peer", "b-solo", "--json", "--quiet")
    assert json.loads(output)["scores"]["mean_iou"] == pytest.approx(told["b-solo"])
    assert "Predicted by peer b-solo, which learned alone" in (run / "report.html").read_text()
    assert succeeds("evaluate", "run", "--peer", "a", "--quiet")[0].startswith("a of run on ")


def test_a_twin_learns_as_if_it_were_alone(run: Path, here: Path, succeeds: Any) -> None:
    """The same bytes as the recipe ``unet`` from the same weights; and that has no peers."""
    start = ("--weights", "run/networks/a.safetensors", "--features", "4", "--levels", "2")
    succeeds("train", "unet", "scenes", "--out", "alone", *SMALL, *start)
    options = (*SIZES, "a.weights=run/networks/a.safetensors")
    succeeds(*MUTUAL, "--solo", "--out", "both", "--peer-options", *options)
    alone = load_file(here / "alone" / "network.safetensors")
    twin = load_file(here / "both" / "networks" / "a-solo.safetensors")
    peer = load_file(here / "both" / "networks" / "a.safetensors")
    for name, weights in alone.items():
        np.testing.assert_array_equal(twin[name], weights, err_msg=name)
    assert any(not np.array_equal(peer[name], weights) for name, weights in alone.items())
    with pytest.raises(UsageError, match="--peer is 'a', but alone is a run of unet with one"):
        Run("alone", peer="a")
    assert list(Run("alone").answers(scene(0)[0])) == ["unet"]
    assert (Run("alone").peers, Run("alone").peer) == ((), None)


def test_distillation_by_a_teacher_that_stays(
    run: Path, here: Path, succeeds: Any, refused: Any
) -> None:
    options = (*SIZES, "a.frozen=true", "a.weights=run/networks/a.safetensors", "b.lr=1e-2")
    call = (*MUTUAL, "--teacher", "a", "--temperature", "2", "--solo", "--out", "taught")
    succeeds(*call, "--peer-options", *options)
    row = rows_of(here / "taught" / "log.csv")[0]
    assert "b/mutual" in row
    assert "a/mutual" not in row
    before = load_file(run / "networks" / "a.safetensors")
    after = load_file(here / "taught" / "networks" / "a.safetensors")
    assert all(np.array_equal(after[name], weights) for name, weights in before.items())
    record = record_of(here / "taught")
    assert record["teacher"] == "a"
    assert [peer["name"] for peer in record["peers"]] == ["a", "b", "b-solo"]
    assert list(record["ensembles"]) == ["ensemble"]
    assert record["chosen"] == "b", "what was not learned here does not answer for the run"
    succeeds("predict", "taught", "scenes/images/0.png", "--peer", "b-solo", "--quiet")
    one = ("predict", "taught", "scenes/images/1.png", "--quiet")
    message = refused(2, *one, "--peer", "b-solo", "--uncertainty")
    assert "b-solo learned alone and has no other twin" in message


def test_images_without_masks(scenes: Path, here: Path, succeeds: Any) -> None:
    call = (*TRAIN, "--unlabelled", "more", "--unlabelled-batch-size", "1", "--out", "run")
    output, _ = succeeds(*call)
    assert output.startswith("learned 3 classes from 6 images and 5 without masks, validation")
    assert record_of(here / "run")["unlabelled_images"] == 5
    assert not any("solo" in name for name in rows_of(here / "run" / "log.csv")[0])


def test_a_training_that_was_cut_off_goes_on(made: Path, scenes: Path, here: Path) -> None:
    """Stopped in its second epoch, it comes to the same bytes."""

    class Impatient:
        def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
            if done == 4:
                raise KeyboardInterrupt

        def epoch(self, row: Any, line: str) -> None:
            pass

    options = {
        "crop": 32, "resize": 0, "augmentation": "flip", "batch_size": 2, "epochs": 2,
        "steps_per_epoch": 3, "val_fraction": 0.25, "peers": ["a=unet", "b=unet"], "solo": True,
        "peer_options": {"a": {"features": 4, "levels": 2}, "b": {"features": 6, "levels": 1}},
    }  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        segmint.train("mutual", "scenes", out="half", watch=Impatient(), **options)
    assert not (here / "half" / "run.json").exists()
    assert run_command(["train", "--resume", "half", "--quiet"]) == 0
    for path in (*(made / "run").rglob("*.safetensors"), made / "run" / "log.csv"):
        same = here / "half" / path.relative_to(made / "run")
        assert same.read_bytes() == path.read_bytes(), path


def test_without_validation_all_answer_together(scenes: Path, here: Path, succeeds: Any) -> None:
    alone = (*TRAIN[: TRAIN.index("--val-fraction")], "--val-fraction", "0")
    rest = TRAIN[TRAIN.index("--val-fraction") + 2 :]
    output, _ = succeeds(*alone, *rest, "--out", "run", "--preset", "study")
    assert output.startswith("learned 3 classes from 8 images in ")
    record = record_of(here / "run")
    assert record["chosen"] == "ensemble"
    assert record["best"] == {"epoch": 2, "score": None}
    assert not (here / "run" / "networks" / "ensemble").exists()
    assert record["options"]["optimizer"]["learning_rate"] == 1e-4
    assert Run("run").peer == "ensemble"


def test_a_peer_that_breaks_is_named_and_the_best_are_kept(
    scenes: Path, here: Path, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = MutualTask.begin_step

    def poison(self: MutualTask, step: int) -> None:
        begin(self, step)
        if step == 4:
            with torch.no_grad():
                next(self.peers["b"].network.parameters()).fill_(torch.nan)

    monkeypatch.setattr(MutualTask, "begin_step", poison)
    sentence = refused(1, *TRAIN, "--out", "run")
    assert "peer 'b'" in sentence
    assert sentence.endswith("; the best networks so far of a and b are kept in run/networks\n")
    for name in ("a", "b"):
        network = load_network(here / "run" / "networks" / f"{name}.safetensors")
        assert all(bool(weight.isfinite().all()) for weight in network.parameters())
    assert "was cut off: go on with --resume run" in refused(2, *TRAIN, "--out", "run")


def test_a_failure_before_the_first_epoch_keeps_nothing(
    scenes: Path, here: Path, refused: Any
) -> None:
    call = (*MUTUAL, "--optimizer", "sgd", "--momentum", "0", "--schedule", "constant")
    bad = ("b.lr=1e30", "b.feature_normalization=none")
    sentence = refused(1, *call, "--out", "run", "--peer-options", *SIZES, *bad)
    assert "'b'" in sentence
    assert "are kept" not in sentence
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ("--peers unet", 2, "--peers names 1 network (unet), accepted are 2 or more"),
        ("--peers unet unet", 2, "two peers 'unet'"),
        ("--peers unet smp:unet/resnet1888", 2, "did you mean 'resnet18'"),
        ("--peers unet unnet", 2, "did you mean 'unet'"),
        ("--peer-options a.featurs=4", 2, "peer 'a': network 'unet' does not take featurs"),
        ("--peer-options c.features=4", 2, "unknown peer 'c'"),
        ("--peer-options a.classes=4", 2, "all peers answer with the classes of one data set"),
        ("--peer-options a.objective=crossentropy", 2, "peer 'a': unknown term 'crossentropy'"),
        ("--peer-options a.features=0", 2, "peer 'a': "),
        ("--peer-options a.weights=none.pt", 1, "peer 'a': weights none.pt do not exist"),
        ("--teacher c", 2, "--teacher is 'c', which is no peer"),
        ("--unlabelled empty", 1, "empty"),
        ("--unlabelled nowhere", 1, "nowhere does not exist"),
        ("--unlabelled more --unlabelled-batch-size 9", 1, "more holds 5 images"),
        ("--unlabelled more --gate right", 2, "take --gate surer"),
        ("--unlabelled-batch-size 2", 2, "without --unlabelled"),
        ("--weights a.pt", 2, "--weights"),
        ("--mutual both", 2, "--mutual is 'both'"),
        ("--devices 3", 2, "--batch-size is 2, but 3 processes share each batch"),
        (
            "--unlabelled more --unlabelled-batch-size 3 --devices 2",
            2,
            "--unlabelled-batch-size is 3, but 2 processes share each",
        ),
    ],
)
def test_refusals(
    scenes: Path, here: Path, refused: Any, arguments: str, code: int, sentence: str
) -> None:
    (here / "empty").mkdir()
    given = arguments.split()
    pair = () if "--peers" in given else PAIR
    assert sentence in refused(code, "train", "mutual", "scenes", *SMALL, *pair, *given)
    assert not (here / "segmint-run").exists()


def test_weights_of_another_shape_name_their_peer(run: Path, refused: Any) -> None:
    call = (*MUTUAL, "--out", "other", "--peer-options", *SIZES)
    sentence = refused(1, *call, "b.weights=run/networks/a.safetensors")
    assert "peer 'b': run/networks/a.safetensors holds weights of another" in sentence


def test_unknown_peers_and_lost_networks(run: Path, refused: Any) -> None:
    call = ("predict", "run", "scenes/images/0.png", "--quiet", "--peer")
    assert "did you mean 'ensemble'?" in refused(2, *call, "ensembel")
    assert "Known: a, a-solo, b" in refused(2, "evaluate", "run", "--quiet", "--peer", "x")
    (run / "networks" / "b-solo.safetensors").unlink()
    assert "networks/b-solo.safetensors does not exist" in refused(1, *call, "b-solo")
    assert run_command([*call, "a"]) == 0


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("peers", {}),
        ("peers", None),
        ("ensembles", []),
        ("ensembles", {"ensemble": {"members": {"a": "../run/networks/a.safetensors"}}}),
        ("chosen", "c"),
    ],
)
def test_a_damaged_record_is_told(run: Path, refused: Any, entry: str, value: object) -> None:
    (run / "run.json").write_text(json.dumps({**record_of(run), entry: value}))
    for command in ("report", "evaluate"):
        sentence = refused(1, command, "run", "--quiet")
        assert f"is damaged or of another version (no usable {entry})" in sentence
    with pytest.raises(InputError):
        Run(run)


def test_a_network_of_no_numbers_is_told(run: Path, refused: Any) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = run / "networks" / "b.safetensors"
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    weights = load_file(path)
    weights["head.bias"][:] = np.nan
    save_file(weights, path, metadata)
    call = ("predict", "run", "scenes/images/0.png", "--quiet", "--peer", "b")
    assert "networks/b.safetensors answers with values that are no numbers" in refused(1, *call)


def test_images_of_other_channels_are_refused(run: Path) -> None:
    for ask in (Run(run, peer="a").predict, Run(run).answers):
        with pytest.raises(InputError, match="image has 1 channels, the run learned on 3"):
            ask(np.zeros((8, 8), np.uint8))
