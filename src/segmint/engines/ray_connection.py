"""Being connected to a Ray cluster: one of our own on this machine, or one that runs."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segmint.engines.ray_address import RayAddress, found_address, knock
from segmint.errors import InputError, SegmintError, UsageError

_OBJECT_STORE = 512 * 2**20
"""Bytes in which a Ray of our own passes large values on."""
_LONG = 18
"""Letters of a folder in which Ray's own names would be too long."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRPC_VERBOSITY": "NONE",
}
_IMPATIENT = {"RAY_gcs_server_request_timeout_seconds": "5"}
"""For how long a node of the cluster is looked for on this machine; Ray's own is a minute."""


@contextmanager
def ray_connection(address: str | None, *, cpus: int) -> Iterator[str]:
    """Ray as long as the block lasts; nothing of it is said on the terminal, nothing sent home.

    Args:
        address: ``HOST:PORT``, ``ray://HOST:PORT``, ``auto``, or None for a Ray of our own that
            ends with the block, or with this process, however that ends.
        cpus: that a Ray of our own has at least.

    Yields:
        Where it is, for people.

    Raises:
        UsageError: when the address is malformed, or Ray is in use by this process already.
        InputError: when no fitting cluster answers there, within ten seconds.
    """
    given = None if address in (None, "auto") else RayAddress.parsed(str(address))
    with _environment(_QUIET if address is None else _QUIET | _IMPATIENT):
        ray = _imported()
        if ray.is_initialized():
            raise UsageError("this process uses Ray already: call ray.shutdown() first")
        if address is not None:
            given = given or found_address()
            knock(given)
    if given is None:
        with _own(ray, cpus):
            yield "Ray on this machine"
    else:
        with _joined(ray, given):
            yield f"Ray at {given}"


def _imported() -> Any:
    """Ray, which warns of this and that as it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import grpc  # type: ignore[import-untyped]  # noqa: F401
            import ray
        except ImportError:
            raise UsageError(
                "the engine ray needs Ray, which is not installed: pip install 'segmint[ray]'"
            ) from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return ray


@contextmanager
def _own(ray: Any, cpus: int) -> Iterator[None]:
    """A cluster of this machine alone.

    It listens on the network, as any does: only who knows its token is heard. Without one given
    here, Ray would write one into the home folder, and later clusters would ask for it.
    """
    folder = _short_folder()
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        with _environment(_QUIET | token):
            ray._raylet.Config.initialize("")  # what it read of the environment when imported
            _init(
                ray,
                "a Ray of our own cannot be started",
                address="local",
                num_cpus=max(cpus, os.cpu_count() or 1),
                object_store_memory=_OBJECT_STORE,
                include_dashboard=False,
                _temp_dir=folder,
            )
            yield
    finally:
        ray.shutdown()
        ray._raylet.Config.initialize("")
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    """A new folder: the name of a socket in there must not exceed about a hundred letters."""
    usual = tempfile.gettempdir()
    is_long = len(usual) > _LONG and Path("/tmp").is_dir()
    return tempfile.mkdtemp(prefix="segmint-ray-", dir="/tmp" if is_long else usual)


@contextmanager
def _joined(ray: Any, address: RayAddress) -> Iterator[None]:
    try:
        with _environment(_QUIET | _IMPATIENT):
            _init(ray, f"Ray at {address} cannot be used", address=str(address))
        yield
    finally:
        ray.shutdown()


def _init(ray: Any, failure: str, **options: Any) -> None:
    try:
        with warnings.catch_warnings(), _unheard(ray):
            warnings.simplefilter("ignore")
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
    except (RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise _sentence(failure, error) from None


@contextmanager
def _unheard(ray: Any) -> Iterator[None]:
    """Have Ray not listen for what its machines complain of, which it would print in any case.

    The dispatcher tells of the deaths that matter.
    """
    worker = ray._private.worker
    listen = worker.listen_error_messages
    worker.listen_error_messages = lambda *arguments: None
    try:
        yield
    finally:
        worker.listen_error_messages = listen


def _sentence(failure: str, error: Exception) -> SegmintError:
    """What kept Ray from starting, in our words where it is a common thing."""
    words = " ".join(str(error).split())
    if "ersion mismatch" in words:
        return InputError(
            f"{failure}: it has another version of Ray or Python ({words});"
            " install the same ones everywhere"
        )
    if "node" in words and "connect" in words:
        return InputError(
            f"{failure}: this machine is no node of that cluster; join it with"
            " `ray start --address=HOST:PORT`, or pass the address ray://HOST:10001"
        )
    return InputError(f"{failure}: {words}")


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables that Ray reads when it is imported or started, and its processes inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
