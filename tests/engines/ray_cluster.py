"""A real Ray cluster of a few nodes, as processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_WATCHFUL = {"RAY_health_check_period_ms": "1000"}
"""Of the head: it looks whether nodes live every second, instead of every third."""

Command = Callable[[Sequence[str]], list[str]]


@dataclass
class RayNode:
    """What ``ray start`` started."""

    begin: Callable[[], subprocess.Popen[bytes]]
    log: Path
    tries: int = 3
    """Now and then an agent of Ray's does not come up, which Ray notices after half a minute."""
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.process = self.begin()

    def wait(self) -> None:
        """Until it is up."""
        while "Ray runtime started" not in self.log.read_text():
            if self.process.poll() is not None:
                self.tries -= 1
                if not self.tries:
                    raise RuntimeError(f"a node did not start: {self.log.read_text()}")
                self.process = self.begin()
            time.sleep(0.05)

    def kill(self) -> None:
        """As when its plug is pulled: its workers go with their raylet."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class RayCluster:
    """The head, which does no work, and nodes that come and go."""

    folder: Path
    """Short: names of sockets in there have an end."""
    host: str
    port: int
    client_port: int
    nodes: list[RayNode] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def client_address(self) -> str:
        return f"ray://{self.host}:{self.client_port}"

    def add(
        self,
        host: str,
        *,
        cpus: int = 1,
        gpus: int = 0,
        environment: Mapping[str, str] | None = None,
        command: Command = list,
    ) -> RayNode:
        """Start a node; wait for it yourself."""
        options = [f"--address={self.address}", f"--num-gpus={gpus}"]
        return self.start(host, cpus, options, environment or {}, command)

    def start(
        self,
        host: str,
        cpus: int,
        options: Sequence[str],
        environment: Mapping[str, str],
        command: Command,
    ) -> RayNode:
        argv = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options]
        argv += [f"--node-ip-address={host}", f"--num-cpus={cpus}"]
        argv += ["--object-store-memory=80000000", "--disable-usage-stats"]
        log = self.folder / f"node{len(self.nodes)}.log"
        paths = [environment.get("PYTHONPATH", ""), str(Path(__file__).parent)]
        variables = {
            **os.environ,
            **environment,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "disabled",  # whatever token there is in the home folder
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }

        def begin() -> subprocess.Popen[bytes]:
            with log.open("wb") as output:
                return subprocess.Popen(
                    command(argv),
                    env=variables,
                    cwd=self.folder,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

        self.nodes.append(RayNode(begin, log))
        return self.nodes[-1]


@contextmanager
def ray_cluster(
    folder: Path, *, host: str = "127.0.0.1", command: Command = list
) -> Iterator[RayCluster]:
    """A head without processors of its own, until the block ends."""
    cluster = RayCluster(folder, host, _free_port(), _free_port())
    options = [
        "--head",
        f"--port={cluster.port}",
        f"--ray-client-server-port={cluster.client_port}",
        "--include-dashboard=false",
        f"--temp-dir={folder}",
    ]
    try:
        cluster.start(host, 0, options, _WATCHFUL, command).wait()
        yield cluster
    finally:
        for node in reversed(cluster.nodes):
            if node.process.poll() is None:
                node.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
