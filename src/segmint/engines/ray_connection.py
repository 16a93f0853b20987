"""Being connected to a Ray cluster: one of our own on this machine, or one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from segmint.engines.ray_address import RayAddress, found_address, knock
from segmint.engines.ray_own import own_ray
from segmint.engines.ray_start import environment, imported_ray, start_ray
from segmint.errors import InputError, UsageError

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRPC_VERBOSITY": "NONE",
}
_IMPATIENT = {"RAY_gcs_server_request_timeout_seconds": "5"}
"""For how long a node of the cluster is looked for on this machine; Ray's own is a minute."""
_NO_SERVER = ("Starting Ray client server failed", "Initialization failure from server")
"""Said by a head that is busy, or whose port for this client another Ray of that machine has."""
_FURTHER_TRIES = 2


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
    with environment(_QUIET if address is None else _QUIET | _IMPATIENT):
        ray = imported_ray()
        if ray.is_initialized():
            raise UsageError("this process uses Ray already: call ray.shutdown() first")
        if address is not None:
            given = given or found_address()
            knock(given)
    if given is None:
        with environment(_QUIET), own_ray(ray, cpus):
            yield "Ray on this machine"
    else:
        with _joined(ray, given):
            yield f"Ray at {given}"


@contextmanager
def _joined(ray: Any, address: RayAddress) -> Iterator[None]:
    try:
        with environment(_QUIET | _IMPATIENT):
            fault = start_ray(ray, address=str(address))
            for _ in range(_FURTHER_TRIES):
                if _has_no_server(fault):
                    fault = start_ray(ray, address=str(address))
        if fault:
            raise InputError(f"Ray at {address} cannot be used: {_explained(fault)}")
        yield
    finally:
        ray.shutdown()


def _has_no_server(fault: str) -> bool:
    return any(words in fault for words in _NO_SERVER)


def _explained(fault: str) -> str:
    """What kept Ray from joining a cluster, in our words where it is a common thing.

    Example:
        >>> _explained("Version mismatch: 2.1")[:47]
        'it has another version of Ray or Python (Versio'
    """
    if "ersion mismatch" in fault:
        return (
            f"it has another version of Ray or Python ({fault}); install the same ones everywhere"
        )
    if _has_no_server(fault):
        return (
            "its head could not start a server for this client; see ray_client_server_*.err among"
            " the logs there, or run the same again when the head is less busy"
        )
    if "node" in fault and "connect" in fault:
        return (
            "this machine is no node of that cluster; join it with"
            " `ray start --address=HOST:PORT`, or pass the address ray://HOST:10001"
        )
    return fault
