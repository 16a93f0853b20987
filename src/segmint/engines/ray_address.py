"""Where a Ray cluster is, and whether one answers there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segmint.errors import InputError, UsageError, shortened

_PATIENCE = 4.0
"""Seconds in which an address has to answer."""
_CLIENT = "ray://"
_FORM = re.compile(r"(?P<client>ray://)?(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+):(?P<port>[0-9]{1,5})")
_FORMS = (
    "HOST:PORT of the cluster (as 10.0.0.1:6379), ray://HOST:PORT (as ray://10.0.0.1:10001) or auto"
)
_GCS = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_CLIENT_SERVER = "/ray.rpc.RayletDriver/ClusterInfo"


@dataclass(frozen=True)
class RayAddress:
    """One that is well formed.

    Args:
        host_port: of the cluster, or of its server of Ray clients.
        is_client: whether that server is spoken to, from outside the cluster.

    Example:
        >>> str(RayAddress.parsed("ray://10.0.0.1:10001"))
        'ray://10.0.0.1:10001'
    """

    host_port: str
    is_client: bool

    @classmethod
    def parsed(cls, text: str) -> RayAddress:
        """The address that a text is.

        Raises:
            UsageError: when it is none.
        """
        match = _FORM.fullmatch(text)
        if not match or not 0 < int(match["port"]) < 65536:
            raise UsageError(f"{shortened(text)!r} is no address of Ray: pass {_FORMS}")
        return cls(f"{match['host']}:{match['port']}", bool(match["client"]))

    def __str__(self) -> str:
        return f"{_CLIENT if self.is_client else ''}{self.host_port}"


def found_address() -> RayAddress:
    """The cluster that this machine is a node of, or that ``RAY_ADDRESS`` names.

    Raises:
        UsageError: when there is none.
    """
    from ray._private.services import get_ray_address_from_environment

    try:
        text = get_ray_address_from_environment("auto", None)
    except ConnectionError:
        raise UsageError(
            "address 'auto' finds no Ray: this machine is no node of a cluster, and RAY_ADDRESS is"
            f" not set; join one with `ray start --address=HOST:PORT`, or pass {_FORMS}"
        ) from None
    return RayAddress.parsed(text)


def knock(address: RayAddress) -> None:
    """Refuse an address at which no cluster of this version of Ray answers, within seconds.

    Raises:
        InputError: saying what is there instead.
    """
    import grpc  # type: ignore[import-untyped]
    from ray._private.grpc_utils import init_grpc_channel

    method = _CLIENT_SERVER if address.is_client else _GCS
    channel = init_grpc_channel(address.host_port, options=[("grpc.enable_http_proxy", 0)])
    try:
        answer = channel.unary_unary(method)(b"", timeout=_PATIENCE)
    except grpc.RpcError as error:
        _refuse(address, error.code(), error.details() or "")
    else:
        if not address.is_client:
            _check_version(address, answer)
    finally:
        channel.close()


def _refuse(address: RayAddress, code: object, details: str) -> None:
    """Say why there is no Ray; a server of clients rightly complains of an empty question."""
    from grpc import StatusCode

    if code == StatusCode.UNIMPLEMENTED:
        kind = "server of Ray clients" if address.is_client else "Ray cluster"
        raise InputError(f"what listens at {address} is no {kind}: pass {_FORMS}")
    if code == StatusCode.UNAUTHENTICATED:
        raise InputError(
            f"Ray at {address} asks for a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN in the"
            " environment, with what its head has"
        )
    if code == StatusCode.DEADLINE_EXCEEDED:
        raise InputError(
            f"no Ray answers at {address} within {_PATIENCE:.0f} s: check the address, the"
            " firewall between, and `ray status` on the cluster's head"
        )
    if code == StatusCode.UNAVAILABLE:
        raise InputError(f"no Ray answers at {address}: {_cause(details)}; {_ADVICE}")


_ADVICE = "check the address, and `ray status` on the cluster's head"


def _cause(details: str) -> str:
    """The part of what gRPC says that helps.

    Example:
        >>> _cause("failed to connect: Connection refused")
        'nothing listens there'
    """
    if "refused" in details:
        return "nothing listens there"
    if "resolv" in details or "lookup" in details:
        return "there is no machine of that name"
    if "HTTP/2" in details:
        return "something else than Ray listens there"
    return shortened(details.rpartition(": ")[2])


def _check_version(address: RayAddress, answer: bytes) -> None:
    import ray
    from ray.core.generated.gcs_service_pb2 import CheckAliveReply

    there = CheckAliveReply.FromString(answer).ray_version
    if there and there != ray.__version__:
        raise InputError(
            f"the cluster at {address} has Ray {there}, but here is Ray {ray.__version__}: install"
            f" one version everywhere, as pip install 'ray[client]=={there}'"
        )
