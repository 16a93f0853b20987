"""What a launcher tells its processes, and what is refused of it."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest
import torch

from segmint.errors import UsageError
from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective
from segmint.solvers import agreement
from segmint.solvers.agreement import check_alike, first_does
from segmint.solvers.counted_pixels import counted_pixels
from segmint.solvers.interfaces import GLOO, gloo_towards, interface_to
from segmint.solvers.launched import (
    Launch,
    check_shape,
    check_world,
    launched,
    refuse_one_process_recipe,
    restarts,
)
from segmint.solvers.meeting import own_device, taking_part
from segmint.solvers.place import Place
from segmint.solvers.training_options import TrainingOptions

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "5",
    "WORLD_SIZE": "6",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "2",
    "MASTER_ADDR": "10.1.2.3",
    "MASTER_PORT": "29500",
}

SLURM = {
    "SLURM_JOB_ID": "1234567",
    "SLURM_JOB_NAME": "learn",
    "SLURM_STEP_ID": "0",
    "SLURM_NTASKS": "6",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NNODES": "3",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "2",
    "SLURM_NODELIST": "gpu[07-09]",
}

EXPECTED = {"rank": 5, "local_rank": 1, "nodes": 3, "devices": 2}


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name in TORCHRUN or name == GLOO or name.startswith(("SLURM_", "TORCHELASTIC_")):
            monkeypatch.delenv(name)


def start(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], **changed: str) -> None:
    # Lightning writes address and port back; what is set here is taken away at the end.
    monkeypatch.setenv("MASTER_ADDR", "")
    monkeypatch.setenv("MASTER_PORT", "")
    monkeypatch.delenv("MASTER_ADDR")
    monkeypatch.delenv("MASTER_PORT")
    for name, value in {**environment, **changed}.items():
        monkeypatch.setenv(name, value)


def test_without_a_launcher() -> None:
    assert launched() is None
    assert restarts() == 0
    with taking_part() as place:
        assert place == Place()


def test_what_torchrun_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, TORCHRUN, TORCHELASTIC_RESTART_COUNT="2")
    assert launched() == Launch(launcher="torchrun", address="10.1.2.3", **EXPECTED)
    assert launched().world == 6
    assert restarts() == 2


def test_what_srun_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, SLURM, SLURM_RESTART_COUNT="1")
    assert launched() == Launch(launcher="srun", address="gpu07", **EXPECTED)
    assert (os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]) == ("gpu07", "19567")
    assert restarts() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"SLURM_STEP_ID": str(2**32 - 5)},  # the script of a job, which srun did not start
        {"SLURM_NTASKS": "1"},
    ],
)
def test_other_processes_of_slurm_are_alone(
    changed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, SLURM, **changed)
    assert launched() is None


@pytest.mark.parametrize(
    ("environment", "lacks"),
    [(SLURM, "SLURM_PROCID"), (SLURM, "SLURM_NTASKS_PER_NODE")],
)
def test_a_launcher_that_tells_too_little(
    environment: dict[str, str], lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, {name: value for name, value in environment.items() if name != lacks})
    with pytest.raises(UsageError, match=r"tells less of its processes .*: call '(torchrun|srun) "):
        launched()


def test_a_world_that_machines_do_not_share_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, TORCHRUN, WORLD_SIZE="7")
    with pytest.raises(UsageError, match="7 processes cannot be spread evenly"):
        launched()


LAUNCH = Launch(launcher="torchrun", rank=0, local_rank=0, nodes=3, devices=2, address="a")


def test_options_must_say_what_was_started() -> None:
    check_shape(TrainingOptions(nodes=3, devices=2), LAUNCH)
    with pytest.raises(UsageError) as refusal:
        check_shape(TrainingOptions(nodes=2, devices=3), LAUNCH)
    said = str(refusal.value)
    assert said.startswith("--nodes 2 --devices 3 asks for 6 processes, but torchrun has started 6")
    assert "2 on each of 3 machines: pass --nodes 3 --devices 2" in said
    with pytest.raises(UsageError) as refusal:
        check_shape(TrainingOptions(nodes=2, devices=4), None)
    said = str(refusal.value)
    assert said.startswith("--nodes is 2, but no launcher has started this process")
    assert "'torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d" in said
    assert "'srun --nodes 2 --ntasks-per-node 4 segmint train" in said


def test_a_run_goes_on_with_as_many_processes() -> None:
    check_world(TrainingOptions(devices=6), LAUNCH)
    check_world(TrainingOptions(devices=4), None)
    with pytest.raises(UsageError, match="started 6 processes, but the training is one of 1 proc"):
        check_world(TrainingOptions(), LAUNCH)


def test_recipes_that_learn_in_one_process() -> None:
    refuse_one_process_recipe("clustering", None)
    with pytest.raises(UsageError, match="clustering learns in one process, but torchrun has sta"):
        refuse_one_process_recipe("clustering", LAUNCH)


def test_gpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    second = Launch(launcher="srun", rank=1, local_rank=1, nodes=1, devices=2, address="a")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(UsageError, match=r"2 processes on .* want a GPU each, but it has 1"):
        own_device(second, cuda)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")  # as SLURM shows each its own
    assert own_device(second, cuda) == torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert own_device(second, cuda) == torch.device("cuda", 1)
    assert own_device(second, torch.device("cpu")) == torch.device("cpu")


def test_processes_that_were_asked_for_something_else() -> None:
    alike = {"segmint": "1", "seed": 0}
    check_alike([("a", alike), ("b", dict(alike))])
    with pytest.raises(UsageError, match="process 1 on b has seed 3, but process 0 on a has 0"):
        check_alike([("a", alike), ("b", {**alike, "seed": 3})])
    with pytest.raises(UsageError, match="process 2 on c has segmint None, but process 0 on a"):
        check_alike([("a", alike), ("b", alike), ("c", {"seed": 0})])


def test_what_the_first_refuses_ends_the_others_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def between(place: object, value: object) -> object:
        sent.append(value)
        return sent[0]

    def refusing() -> None:
        raise UsageError("no")

    monkeypatch.setattr(agreement, "_from_first", between)
    with pytest.raises(UsageError, match="no"):
        first_does(Place(rank=0, world=2), refusing)
    with pytest.raises(agreement.ToldError, match="no") as told:
        first_does(Place(rank=1, world=2), refusing)
    assert told.value.exit_code == UsageError.exit_code


def test_the_device_that_leads_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for _, name in socket.if_nameindex()]
    assert interface_to("127.0.0.1") in (*names, None)
    assert interface_to("no machine has this name.invalid") is None
    with gloo_towards("127.0.0.1"):
        assert os.environ.get(GLOO) == interface_to("127.0.0.1")
    assert GLOO not in os.environ
    monkeypatch.setenv(GLOO, "theirs")
    with gloo_towards("127.0.0.1"):
        assert os.environ[GLOO] == "theirs"
    assert os.environ[GLOO] == "theirs"


@pytest.mark.parametrize(
    "expression",
    [
        "cross_entropy",
        "cross_entropy(label_smoothing=0.1)",
        "cross_entropy(weights=[1, 0.5, 3])",
        "bce",
        "0.5*bce + 0.5*focal(gamma=1.5)",
    ],
)
def test_parts_weighed_by_what_they_count_are_the_whole(expression: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, 5, 6, generator=generator)
    mask = torch.randint(0, 3, (4, 5, 6), generator=generator)
    mask[0, :, 1:] = mask[3, 2] = 255
    region = torch.rand(4, 5, 6, generator=generator) < 0.8
    objective = Objective(expression)

    def part(images: slice) -> tuple[float, float]:
        batch = Batch(
            image=torch.zeros(4, 3, 5, 6)[images], mask=mask[images], region=region[images]
        )
        counted = counted_pixels(objective, batch)
        return float(objective(logits[images], batch)), float(counted)

    losses, counts = zip(*(part(slice(*ends)) for ends in ((0, 1), (1, 4))), strict=True)
    whole, count = part(slice(0, 4))
    assert sum(counts) == pytest.approx(count)
    assert np.average(losses, weights=counts) == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize(
    "expression", ["dice", "0.5*bce + 0.5*rmi", "bce + cross_entropy(weights=[1, 2])"]
)
def test_what_is_no_mean_over_pixels_is_not_weighed(expression: str) -> None:
    mask = torch.zeros(1, 4, 4, dtype=torch.int64)
    batch = Batch(image=torch.zeros(1, 3, 4, 4), mask=mask)
    assert counted_pixels(Objective(expression), batch) is None
    assert counted_pixels(Objective("bce"), Batch(image=batch.image)) is None
