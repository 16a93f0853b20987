from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from namespaces import missing, namespaces
from ray_cluster import Command, ray_cluster

from segmint.engines.ray_nodes import Share

pytest.importorskip("ray", reason="Ray is not installed")

DRIVER = f"""
import collections, json, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from engine_jobs import TrialJob
from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.ray_workers import RayWorkers
from segmint.engines.workers import Died

class Watched(RayWorkers):
    deaths = []

    def events(self, timeout):
        events = super().events(timeout)
        self.deaths += [[e.reason, e.by_itself] for e in events if isinstance(e, Died)]
        return events

pids, rooms, counts = set(), [], collections.Counter()

def items():
    '''Until a node that came later works, too.'''
    while len(pids) < 3 and len(counts) < 3000:
        yield Item(number=len(counts), image="sleep:0.05")
        counts[len(counts)] = 0

with Watched(TrialJob(), address=sys.argv[1], out=Path(sys.argv[2])) as workers:
    rooms.append(workers.room())
    for outcome in dispatch(items(), workers):
        counts[outcome.number] += outcome.state == "done"
        pids.add(outcome.told["pid"])
        if outcome.number == 60:
            print("kill", flush=True)
print(json.dumps([rooms, len(pids), sorted(set(counts.values())), workers.deaths]))
"""


@dataclass
class Machine:
    address: str
    command: Command = list


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    """Three: network namespaces where they can be made, addresses of loopback elsewhere."""
    with ExitStack() as stack:
        if missing():
            yield [Machine(f"127.0.0.{place}") for place in (1, 2, 3)]
        else:
            made = stack.enter_context(namespaces(3))
            yield [Machine(each.address, each.command) for each in made]


def test_a_node_that_is_killed_loses_nothing_and_one_that_joins_helps(
    machines: list[Machine], tmp_path: Path
) -> None:
    head, stays, dies = machines
    with (
        tempfile.TemporaryDirectory() as folder,
        ray_cluster(Path(folder), host=head.address, command=head.command) as cluster,
    ):
        nodes = [cluster.add(each.address, command=each.command) for each in (stays, dies)]
        for node in nodes:
            node.wait()
        driver = subprocess.Popen(
            head.command([sys.executable, "-c", DRIVER, cluster.address, str(tmp_path)]),
            env={**os.environ, "RAY_AUTH_MODE": "disabled"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert driver.stdout is not None
        assert driver.stdout.readline() == "kill\n"
        nodes[1].kill()
        cluster.add(stays.address, command=stays.command)
        said, _ = driver.communicate(timeout=120)
    rooms, processes, counts, deaths = json.loads(said)
    assert (rooms, processes, counts) == ([2], 3, [1])
    assert deaths
    assert all(death == [f"its node {dies.address} is gone", False] for death in deaths)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("threads", "gpus", "node", "places"),
    [
        (1, 0.0, (2.0, 0.0), 2),
        (4, 0.0, (10.0, 8.0), 2),
        (4, 0.0, (3.0, 0.0), 0),
        (1, 1.0, (64.0, 8.0), 8),
        (1, 2.0, (64.0, 7.0), 3),
        (1, 0.4, (64.0, 2.0), 4),
        (1, 0.1, (64.0, 2.0), 20),
        (8, 0.25, (16.0, 4.0), 2),
        (1, 0.5, (64.0, 0.0), 0),
    ],
)
def test_as_many_workers_fit_as_processors_and_gpus_allow(
    threads: int, gpus: float, node: tuple[float, float], places: int
) -> None:
    assert Share(threads=threads, gpus=gpus).places(*node) == places
