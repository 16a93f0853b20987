"""A Ray of our own, of this machine alone, which ends with the process that needs it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segmint.engines import ray_keeper
from segmint.engines.ray_start import environment, start_ray
from segmint.errors import InputError

_OBJECT_STORE = 512 * 2**20
"""Bytes in which it passes large values on."""
_LONG = 18
"""Letters of a folder in which Ray's own names would be too long."""
_PATIENT = {
    "RAY_raylet_start_wait_time_s": "45",
    "RAY_agent_register_timeout_ms": "45000",
}
"""A machine that is busy takes its time to start it; Ray's own is half a minute."""
_TRIES = 2


@contextmanager
def own_ray(ray: Any, cpus: int) -> Iterator[None]:
    """One as long as the block lasts.

    It listens on the network, as any does: only who knows its token is heard. Without one given
    here, Ray would write one into the home folder, and later clusters would ask for it.

    Args:
        ray: imported.
        cpus: that it has at least.

    Raises:
        InputError: when it cannot be started.
    """
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for left in reversed(range(_TRIES)):
        with _kept_folder() as folder:
            try:
                with environment(_PATIENT | token | {ray_keeper.MARK: folder}):
                    ray._raylet.Config.initialize("")  # what it read when it was imported
                    fault = _started(ray, cpus, folder)
                    if not fault:
                        yield
                        return
            finally:
                ray.shutdown()
                ray._raylet.Config.initialize("")
        if not left:
            raise InputError(
                f"a Ray of our own cannot be started: {fault}; run the same again when the machine"
                " is less busy, or without --engine ray"
            )


def _started(ray: Any, cpus: int, folder: str) -> str:
    """Start it; why that failed."""
    return start_ray(
        ray,
        address="local",
        num_cpus=max(cpus, os.cpu_count() or 1),
        object_store_memory=_OBJECT_STORE,
        include_dashboard=False,
        _temp_dir=folder,
    )


@contextmanager
def _kept_folder() -> Iterator[str]:
    """A new folder for its files, which is gone afterwards, however this process ends."""
    usual = tempfile.gettempdir()
    is_long = len(usual) > _LONG and Path("/tmp").is_dir()  # names of sockets have an end
    folder = tempfile.mkdtemp(prefix="segmint-ray-", dir="/tmp" if is_long else usual)
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", ray_keeper.__file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/" if os.name == "posix" else None,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        keeper.communicate()
