"""The real command on a real cluster: a head that does no work, and nodes that come and go."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))

from namespaces import Machine, machines
from ray_cluster import RayCluster, ray_cluster

from segmint.cli import run as run_command

pytest.importorskip("ray", reason="Ray is not installed")

IMAGES = 150
FAST = ("--method", "felzenszwalb", "--lean")


@dataclass
class Place:
    """A folder that all nodes share, a cluster, and machines for its nodes."""

    folder: Path
    cluster: RayCluster
    head: Machine
    others: list[Machine]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def begin(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """A command on the head."""
        argv = [sys.executable, "-m", "segmint", *map(str, arguments)]
        process = subprocess.Popen(
            self.head.command(argv),
            cwd=self.folder,
            env={**os.environ, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        return process

    def on_ray(self, *arguments: str | Path, client: bool = False) -> subprocess.Popen[str]:
        """A command with workers in the cluster."""
        cluster = self.cluster
        address = cluster.client_address if client else cluster.address
        threads = () if "--threads" in arguments else ("--threads", "1")
        return self.begin(*arguments, "--engine", "ray", "--address", address, *threads)

    def here(self, *arguments: str | Path) -> None:
        """A command of this process."""
        with contextlib.chdir(self.folder):
            assert run_command([*map(str, arguments), "--threads", "1", "--quiet"]) == 0

    def alone(self, *arguments: str | Path) -> None:
        """The same without workers."""
        self.here(*arguments, "--workers", "0")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as short,
        tempfile.TemporaryDirectory() as shared,
        machines(3) as (head, *others),
        ray_cluster(Path(short), host=head.address, command=head.command) as cluster,
    ):
        made = Place(Path(shared), cluster, head, others)
        write_photos(made.folder / "photos")
        try:
            yield made
        finally:
            for process in made.running:
                process.kill()
                process.communicate()


def write_photos(folder: Path) -> None:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(IMAGES):
        coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        noise = generator.integers(0, 16, (64, 64, 3))
        pixels = np.kron(coarse, np.ones((8, 8, 1), np.uint8)) // 2 + noise
        Pillow.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:03d}.png")


def ended(process: subprocess.Popen[str], code: int) -> str:
    """What a command said until it ended with that code."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == code, said
    return said


def files(folder: Path) -> dict[str, bytes]:
    """Every file of results but half ones of who was killed, without what is measured."""
    found = {}
    for path in sorted(folder.glob("[!.]*/**/*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "result.json":
                record = json.loads(content)
                record.pop("seconds")
                content = json.dumps(record).encode()
            found[str(path.relative_to(folder))] = content
    return found


def names(out: Path) -> list[str]:
    """Of the images that have ended so far."""
    manifest = out / "manifest.jsonl"
    lines = manifest.read_bytes().split(b"\n")[1:-1] if manifest.exists() else []
    return [json.loads(line)["name"] for line in lines if json.loads(line)["state"] == "done"]


def cut_off() -> str:
    """Why no node can be given another view of the files; empty where one can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "only root can give a process another view of the files"
    if shutil.which("unshare") is None:
        return "there is no command unshare to give a process another view of the files"
    made = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    return f"no other view of the files can be made here: {made.stderr.strip()}" * bool(
        made.returncode
    )


def mounted(folder: Path) -> Callable[[Sequence[str]], list[str]]:
    """What runs a command line where some folders look different."""
    for name in ("hidden", "readonly", "full"):
        (folder / name).mkdir()
    at = shlex.quote(str(folder))
    script = f"""set -e; cd {at}
mount -t tmpfs none hidden
mount --bind readonly readonly
mount -o remount,ro,bind readonly
mkdir {at}.disk
mount -t tmpfs -o size=4k,nr_inodes=64 none {at}.disk
mkdir {at}.disk/upper {at}.disk/work
mount -t overlay -o lowerdir=full,upperdir={at}.disk/upper,workdir={at}.disk/work none full
mount -t tmpfs none secret
exec "$@"
"""
    return lambda argv: ["unshare", "-m", "sh", "-c", script, "sh", *argv]


def test_a_node_with_another_version_is_named(place: Place, tmp_path: Path) -> None:
    fake = tmp_path / "segmint-9.9.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: segmint\nVersion: 9.9\n")
    machine = place.others[0]
    environment = {"PYTHONPATH": str(tmp_path)}
    node = place.cluster.add(machine.address, environment=environment, command=machine.command)
    node.wait()
    said = ended(place.on_ray("segment", "photos", "--out", "other", *FAST), 1)
    here = version("segmint")
    assert said == (
        f"segmint: node {machine.address} of Ray has segmint 9.9, but here is segmint {here}: "
        "install the same version on every node\n"
    )
    node.kill()


@pytest.mark.skipif(bool(cut_off()), reason=cut_off())
def test_what_a_node_cannot_see_or_write_is_said(place: Place) -> None:
    (place.folder / "secret").mkdir()
    shutil.copy(place.folder / "photos" / "000.png", place.folder / "secret")
    machine = place.others[0]
    view = mounted(place.folder)
    node = place.cluster.add(machine.address, command=lambda argv: view(machine.command(argv)))
    node.wait()
    begun = {
        name: place.on_ray("segment", images, "--out", name, *FAST)
        for name, images in (("hidden", "photos"), ("readonly", "photos"), ("unseen", "secret"))
    }
    said = {name: ended(process, 1) for name, process in begun.items()}
    of_node = f"segmint: node {machine.address} of Ray"
    assert said == {
        "hidden": f"{of_node} does not see the output folder {place.folder}/hidden of this machine:"
        " pass an --out that all nodes share, as one on NFS\n",
        "readonly": f"{of_node} cannot write into the output folder {place.folder}/readonly:"
        " Read-only file system\n",
        "unseen": f"{of_node} cannot read the image {place.folder}/secret/000.png: put images"
        " where all nodes see them, by the same path\n",
    }


@pytest.fixture(scope="module")
def nodes(place: Place) -> None:
    """Two, of which the second is killed by the first test."""
    for node in [
        place.cluster.add(each.address, cpus=2, command=each.command) for each in place.others
    ]:
        node.wait()


@pytest.mark.skipif(bool(cut_off()), reason=cut_off())
def test_a_node_whose_disk_is_full_is_left_out(place: Place, nodes: None) -> None:
    process = place.on_ray("segment", "photos", "--out", "full", *FAST)
    said = ended(process, 0)
    assert "a worker can write no more and is left out: cannot write full/" in said
    assert f"{IMAGES} segmented: results in full" in said
    assert len(set(names(place.folder / "full"))) == IMAGES
    assert files(place.folder / "full").keys() == {
        f"{number:03d}/{file}"
        for number in range(IMAGES)
        for file in ("components.csv", "labels.png", "result.json")
    }
    place.cluster.nodes[2].kill()


def test_a_node_that_is_killed_changes_nothing(place: Place, nodes: None) -> None:
    place.alone("segment", "photos", "--out", "alone", *FAST)
    out = place.folder / "killed"
    process = place.on_ray("segment", "photos", "--out", "killed", *FAST, "--workers", "4")
    while len(names(out)) < 20:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    place.cluster.nodes[-1].kill()
    said = ended(process, 0)
    assert f"{IMAGES} segmented: results in killed" in said
    assert sorted(names(out)) == [f"{number:03d}" for number in range(IMAGES)]
    assert files(out) == files(place.folder / "alone")


def test_a_run_is_applied_from_outside_the_cluster(place: Place, nodes: None) -> None:
    train = ("train", "clustering", "photos/000.png", "photos/001.png", "--out", "run")
    place.here(*train, "--components", "3", "--epochs", "1")
    some = [f"photos/{number:03d}.png" for number in range(6)]
    ended(place.on_ray("predict", "run", *some, "--out", "ray", client=True), 0)
    place.alone("predict", "run", *some, "--out", "here")
    assert len(names(place.folder / "ray")) == 6
    assert files(place.folder / "ray") == files(place.folder / "here")


def test_one_huge_image_is_spread(place: Place, nodes: None) -> None:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    tifffile.imwrite(
        place.folder / "big.tif", np.kron(coarse, np.ones((25, 25, 1), np.uint8)), tile=(256, 256)
    )
    big = ("segment", "big.tif", "--stream", "zarr", "--method", "kmeans")
    ended(place.on_ray(*big, "--out", "spread", "--workers", "2"), 0)
    place.alone(*big, "--out", "whole")
    assert files(place.folder / "spread") == files(place.folder / "whole")
