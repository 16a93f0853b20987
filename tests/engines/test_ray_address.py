from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from segmint.engines.ray_address import RayAddress
from segmint.engines.ray_connection import ray_connection
from segmint.engines.ray_start import imported_ray
from segmint.errors import InputError, UsageError

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "host:",
        "host:0",
        "host:65536",
        "ray://",
        "ray://host",
        "http://host:80",
        ":80",
        "a b:80",
        "host:80/x",
        "",
        "Auto",
        "ray://host:10001?x=1",
        "host:\N{FULLWIDTH DIGIT EIGHT}",
    ],
)
def test_a_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no address of Ray: pass HOST:PORT"):
        RayAddress.parsed(text)


@pytest.mark.parametrize(
    "text", ["head:6379", "10.0.0.1:1", "[::1]:6379", "ray://head-svc.x:10001"]
)
def test_a_well_formed_address_stays_as_it_is(text: str) -> None:
    assert str(RayAddress.parsed(text)) == text


@contextmanager
def nothing() -> Iterator[int]:
    """A port that is taken, where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silence() -> Iterator[int]:
    """What accepts, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@contextmanager
def dropping() -> Iterator[int]:
    """What drops packets, as its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def web() -> Iterator[int]:
    """A server of something else."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def other_ray() -> Iterator[int]:
    """A cluster of another version, as far as it is asked."""
    imported_ray()
    import grpc
    from ray.core.generated.gcs_service_pb2 import CheckAliveReply

    def alive(request: bytes, context: object) -> bytes:
        reply: bytes = CheckAliveReply(ray_version="2.1.0").SerializeToString()
        return reply

    handlers = {"CheckAlive": grpc.unary_unary_rpc_method_handler(alive)}
    service = grpc.method_handlers_generic_handler("ray.rpc.NodeInfoGcsService", handlers)
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield port
        server.stop(None).wait()


@pytest.mark.parametrize(
    ("there", "client", "sentence"),
    [
        (nothing, "", "no Ray answers at .*: nothing listens there"),
        (nothing, "ray://", "no Ray answers at .*: nothing listens there"),
        (web, "", "no Ray answers at .*: something else than Ray listens there"),
        (web, "ray://", "no Ray answers at .*: something else than Ray listens there"),
        (silence, "", "no Ray answers at .* within 4 s"),
        (silence, "ray://", "no Ray answers at .* within 4 s"),
        (dropping, "", "no Ray answers at .* within 4 s"),
        (other_ray, "", "has Ray 2.1.0, but here is Ray .*: install one version everywhere"),
        (other_ray, "ray://", "is no server of Ray clients: pass HOST:PORT"),
    ],
)
def test_what_is_no_fitting_cluster_is_refused_soon(
    there: Callable[[], Iterator[int]], client: str, sentence: str
) -> None:
    with there() as port:  # type: ignore[attr-defined]
        address = f"{client}127.0.0.1:{port}"
        with pytest.raises(InputError, match=sentence) as refused, ray_connection(address, cpus=1):
            pass
    assert address in str(refused.value)


def test_a_machine_that_does_not_exist_is_named() -> None:
    with (
        pytest.raises(InputError, match=r"no Ray answers at nobody\.invalid:6379"),
        ray_connection("nobody.invalid:6379", cpus=1),
    ):
        pass


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'segmint\[ray\]'"),
        ray_connection(None, cpus=1),
    ):
        pass


def test_without_any_cluster_auto_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    imported_ray()
    import ray._private.services as services

    def none(*arguments: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(services, "get_ray_address_from_environment", none)
    with pytest.raises(UsageError, match="'auto' finds no Ray"), ray_connection("auto", cpus=1):
        pass


def test_auto_is_what_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing() as port:
        monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{port}")
        with (
            pytest.raises(InputError, match=rf"no Ray answers at ray://127\.0\.0\.1:{port}"),
            ray_connection("auto", cpus=1),
        ):
            pass
