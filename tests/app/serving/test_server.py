from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from segmint.app import packages
from segmint.app.desks.temporary_root import PREFIX, temporary_root
from segmint.app.serving.listening import listen
from segmint.cli import run as run_command
from segmint.errors import OutputError, UsageError

PROGRAM = Path(__file__).parents[1] / "standing_in.py"
Starting = Callable[..., "Started"]


class Started:
    """A server in a process of its own, that listens already."""

    def __init__(self, folder: Path, *options: str) -> None:
        environment = {**os.environ, "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PROGRAM), "--port", "0", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def ended(self, by: signal.Signals) -> str:
        """What it had said on standard error; its last exit code is in ``process``."""
        self.process.send_signal(by)
        return self.process.communicate(timeout=60)[1]

    @contextmanager
    def page(self) -> Iterator[httpx.Client]:
        """A visitor who has opened the first page."""
        with httpx.Client(base_url=self.address, trust_env=False, timeout=60) as client:
            assert client.get("/").status_code == 200
            yield client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starting]:
    all_started = []

    def started(*options: str) -> Started:
        all_started.append(Started(tmp_path, *options))
        return all_started[-1]

    yield started
    for each in all_started:
        each.process.kill()
        each.process.communicate()


def roots(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{PREFIX}*"))


def test_from_start_to_end(start: Starting, tmp_path: Path) -> None:
    server = start()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.address)
    with server.page() as client:
        assert "segmint-visitor" in client.cookies
        assert client.get("/config").status_code == 200
        # What Gradio itself would answer.
        assert client.get("/gradio_api/info").status_code == 404
        assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
        assert client.get("/gradio_api/file=/etc/passwd").status_code == 404
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/segmint/static/viewer.js").status_code == 200
        assert "server" not in client.get("/").headers
    (root,) = roots(tmp_path)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert server.ended(signal.SIGINT).splitlines() == [
        "open this address in a browser; Ctrl-C stops the page",
        "stopped",
    ]
    assert server.process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_open_streams_do_not_keep_it(start: Starting, tmp_path: Path) -> None:
    """A tab whose events go on for a minute, and one that tells that it is there."""
    server = start()
    with server.page() as client:
        config = client.get("/config").json()
        counting = next(each for each in config["dependencies"] if each["api_name"] == "count")
        joined = client.post(
            "/gradio_api/queue/join",
            json={"fn_index": counting["id"], "data": [], "session_hash": "tab"},
        )
        assert joined.status_code == 200
        with client.stream("GET", "/gradio_api/queue/data?session_hash=tab") as stream:
            lines = (line for line in stream.iter_lines() if "process_generating" in line)
            # It comes while the function goes on, so nothing holds it back.
            assert "0" in next(lines)
            with client.stream("GET", "/gradio_api/heartbeat/tab") as heartbeat:
                assert next(heartbeat.iter_lines()) == "data: ALIVE"
                assert server.ended(signal.SIGTERM).endswith("stopped\n")
    assert server.process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_token_where_others_reach_it(
    start: Starting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also: what it leaves when it is killed is removed by the next, and not while it runs."""
    server = start("--host", "0.0.0.0")
    address, _, token = server.address.partition("/?token=")
    assert len(token) == 32
    port = address.rpartition(":")[2]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert client.get("/config").status_code == 401
        assert client.get("/", params={"token": token}).status_code == 303
        assert client.get("/config").status_code == 200
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "of-another-program").mkdir()
    with temporary_root() as other:
        assert other in roots(tmp_path)
        assert len(roots(tmp_path)) == 2
    assert len(roots(tmp_path)) == 1
    server.process.kill()
    server.process.wait()
    assert len(roots(tmp_path)) == 1
    with temporary_root() as other:
        assert roots(tmp_path) == [other]
    assert [path.name for path in tmp_path.iterdir()] == ["of-another-program"]


class TestRefusals:
    def refused(self, capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
        assert run_command(["app", *arguments]) == code
        output, errors = capsys.readouterr()
        assert output == ""
        assert errors.startswith("segmint: ")
        assert errors.count("\n") == 1
        return errors

    def test_port_that_is_taken(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            words = self.refused(capsys, 1, "--port", port)
        assert f"port {port} of 127.0.0.1 is taken by another program" in words
        assert "--port 0 for a free one" in words

    @pytest.mark.parametrize(
        "host", ["http://localhost", "127.0.0.1:80", "8.8.8.8", "no host", "a\0b", "x" * 300, "-"]
    )
    def test_host(self, host: str) -> None:
        with pytest.raises(UsageError, match="is no name or number of this machine"):
            listen(host, 0)

    def test_others(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        words = self.refused(capsys, 1, "--password-file", str(tmp_path / "none"), "--port", "0")
        assert "No such file" in words
        words = self.refused(capsys, 2, "--max-upload", "much")
        assert "--max-upload is 'much', accepted is a size" in words
        assert "--max-desk is" in self.refused(capsys, 2, "--max-desk", "much", "--port", "0")
        assert "--max-memory is" in self.refused(capsys, 2, "--max-memory", "x", "--port", "0")
        assert "--port is 65536" in self.refused(capsys, 2, "--port", "65536")
        assert "nowhere does not exist" in self.refused(capsys, 1, "nowhere")

    def test_packages_that_are_missing(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packages, "_PACKAGES", ("gradio", "no_such_package"))
        words = self.refused(capsys, 1, "nowhere")
        assert words == (
            "segmint: the page needs no_such_package, which is not installed: "
            "pip install 'segmint[app]'\n"
        )


class TestListening:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_loopback(self, host: str) -> None:
        listening = listen(host, 0)
        with listening.socket:
            assert listening.is_loopback
            assert listening.address == f"http://{host}:{listening.port}"
            assert listening.hosts.accepts(f"localhost:{listening.port}")
            assert not listening.hosts.accepts("10.0.0.1")

    def test_all(self) -> None:
        listening = listen("0.0.0.0", 0)
        with listening.socket:
            assert not listening.is_loopback
            assert listening.address == f"http://{socket.gethostname()}:{listening.port}"
            for host in ("10.0.0.1", socket.gethostname(), "localhost"):
                assert listening.hosts.accepts(host)
            assert not listening.hosts.accepts("evil.example")

    def test_sixth_version(self) -> None:
        if not socket.has_ipv6:
            pytest.skip("this machine has no IPv6")
        try:
            listening = listen("::1", 0)
        except UsageError:
            pytest.skip("this machine has no IPv6 loopback")
        with listening.socket:
            assert listening.is_loopback
            assert listening.address == f"http://[::1]:{listening.port}"
            assert listening.hosts.accepts("[::1]:80")


class TestTemporaryRoot:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return tmp_path

    def test_is_removed(self, folder: Path) -> None:
        with temporary_root() as root:
            (root / "file").write_text("text")
            assert roots(folder) == [root]
        assert roots(folder) == []

    def test_also_after_an_error(self, folder: Path) -> None:
        with pytest.raises(ZeroDivisionError), temporary_root():
            raise ZeroDivisionError
        assert roots(folder) == []

    def test_links_and_files_stay(self, folder: Path) -> None:
        (folder / "mine").mkdir()
        (folder / "mine" / "file").write_text("text")
        (folder / f"{PREFIX}link").symlink_to(folder / "mine")
        (folder / f"{PREFIX}file").write_text("text")
        (folder / f"{PREFIX}left").mkdir()
        with temporary_root():
            pass
        assert (folder / "mine" / "file").exists()
        assert [path.name for path in roots(folder)] == [f"{PREFIX}file", f"{PREFIX}link"]

    def test_no_room(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "none"))
        with pytest.raises(OutputError, match="cannot make a folder"), temporary_root():
            pass
