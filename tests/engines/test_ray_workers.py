from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine_jobs import TrialJob
from ray_cluster import RayCluster, ray_cluster

from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.engines.ray_workers import RayWorkers
from segmint.engines.workers import Died, Event, Opened
from segmint.errors import InputError, OutputError, UsageError

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with tempfile.TemporaryDirectory() as folder, ray_cluster(Path(folder)) as started:
        started.add("127.0.0.2", cpus=2).wait()
        yield started


@pytest.fixture(params=["cluster", "client"])
def address(request: pytest.FixtureRequest, cluster: RayCluster) -> str:
    """The cluster seen from one of its nodes, and from outside."""
    return cluster.address if request.param == "cluster" else cluster.client_address


def items(*images: str) -> list[Item]:
    return [
        Item(number=number, image=image, name=f"n{number}") for number, image in enumerate(images)
    ]


def done(workers: RayWorkers, *images: str, tell: Callable[[str], None] = print) -> list[Outcome]:
    outcomes = dispatch(items(*images), workers, tell=tell)
    return sorted(outcomes, key=lambda outcome: outcome.number)


def until(workers: RayWorkers, kind: type[Event]) -> Event:
    """The next event of a kind."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for event in workers.events(1.0):
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} within a minute")


def test_every_image_ends_once_and_the_poisonous_one_fails(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images = [f"{number}.png" for number in range(200)]
    images[77] = "die:9"
    with RayWorkers(TrialJob(), address=address, out=tmp_path / "out") as workers:
        assert workers.place == f"Ray at {address}"
        assert workers.room() == 2
        outcomes = done(workers, *images)
    assert [outcome.number for outcome in outcomes] == list(range(200))
    assert [outcome.number for outcome in outcomes if outcome.state != "done"] == [77]
    assert "die:9" in outcomes[77].sentence
    assert len({outcome.told["pid"] for outcome in outcomes if outcome.told}) >= 2
    assert outcomes[0].told["workers"] == 2
    assert outcomes[0].told["device"] is None
    assert not list((tmp_path / "out").iterdir())


def test_a_worker_has_its_threads_and_is_where_the_driver_is(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "made"
    with RayWorkers(
        TrialJob(), address=cluster.address, threads=2, out=tmp_path / "out", first="out"
    ) as workers:
        assert workers.room() == 1
        threads = done(workers, "threads")[0].told["threads"]
        # The worker waits for its end with a file by a relative name in the folder of the driver.
        [worker] = [workers.hire()]
        until(workers, Opened)
        workers.give(worker, items("half:made"))
        wait_for(made)
        workers.dismiss(worker)
    assert set(threads) == {2}


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)


def test_the_death_of_a_process_is_its_own_on_a_living_node(
    cluster: RayCluster, tmp_path: Path
) -> None:
    with RayWorkers(TrialJob(), address=cluster.address, out=tmp_path) as workers:
        worker = workers.hire()
        assert until(workers, Opened) == Opened(worker=worker)
        workers.give(worker, items(f"die:{signal.SIGKILL:d}"))
        workers.give(worker, items("next"))
        died = until(workers, Died)
        assert not workers.events(0.1)
    assert isinstance(died, Died)
    assert (died.worker, died.by_itself) == (worker, True)
    assert died.reason == "its process ended on node 127.0.0.2"


def test_a_job_that_does_not_open_is_its_own_error(cluster: RayCluster, tmp_path: Path) -> None:
    with (
        RayWorkers(TrialJob(opening="refuse"), address=cluster.address, out=tmp_path) as workers,
        pytest.raises(InputError, match=r"^the weights are damaged$"),
    ):
        done(workers, "a")


def test_workers_that_cannot_write_end_the_run(cluster: RayCluster, tmp_path: Path) -> None:
    with (
        RayWorkers(TrialJob(), address=cluster.address, out=tmp_path) as workers,
        pytest.raises(OutputError, match=r"^cannot write OUT: the disk is full$"),
    ):
        done(workers, "a", "b", *["full"] * 20)


def test_what_a_job_should_never_raise_is_named(cluster: RayCluster, tmp_path: Path) -> None:
    with RayWorkers(TrialJob(), address=cluster.address, workers=1, out=tmp_path) as workers:
        assert workers.room() == 1
        good, bad = done(workers, "good", "fault:weights")
    assert good.state == "done"
    assert bad.state == "failed"
    assert "KeyError: 'weights'" in bad.sentence


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        ({"threads": 3}, "no node of Ray at .* has 3 CPUs for a worker, the most is 2"),
        ({"gpus": 2}, "no node of Ray at .* has 2 GPUs for a worker, the most is 0"),
        ({"gpus": 0.25}, "no node of Ray at .* has 0.25 GPUs for a worker, the most is 0"),
    ],
)
def test_a_worker_that_fits_on_no_node_is_refused(
    share: dict[str, int], sentence: str, cluster: RayCluster, tmp_path: Path
) -> None:
    workers = RayWorkers(TrialJob(), address=cluster.address, out=tmp_path, **share)
    with pytest.raises(UsageError, match=sentence), workers:
        pass
    assert not list(tmp_path.iterdir())


def test_a_busy_cluster_is_waited_for_and_said(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segmint.engines.ray_workers._BUSY", 0.0)
    said: list[str] = []
    with RayWorkers(TrialJob(), address=cluster.address, out=tmp_path, tell=said.append) as workers:
        assert done(workers, "a")[0].state == "done"
    assert said == [
        f"Ray at {cluster.address} has not begun a worker yet: waiting for 1 CPUs to be free"
    ]


def test_ray_that_this_process_uses_is_left_alone(cluster: RayCluster, tmp_path: Path) -> None:
    with (
        RayWorkers(TrialJob(), address=cluster.address, out=tmp_path),
        pytest.raises(UsageError, match="this process uses Ray already"),
        RayWorkers(TrialJob(), address=cluster.address, out=tmp_path),
    ):
        pass


def test_an_output_folder_that_cannot_be_is_refused(cluster: RayCluster, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    workers = RayWorkers(TrialJob(), address=cluster.address, out=tmp_path / "file" / "out")
    with (
        pytest.raises(OutputError, match=r"cannot write into the folder .*Not a directory"),
        workers,
    ):
        pass
