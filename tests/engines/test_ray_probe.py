from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from segmint.engines.ray_probe import probe, probed_needs
from segmint.errors import InputError, OutputError, SegmintError

GOOD = {"version": version("segmint"), "sees": True, "unwritable": "", "first": True}


def test_a_machine_that_sees_all_has_no_fault_and_keeps_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with probed_needs(tmp_path / "out", str(tmp_path / "a.png")) as needs:
        found = probe()(needs.out, needs.token, needs.first)
        assert found == GOOD
        assert needs.fault("10.0.0.2", found) is None
        assert not probe()(str(tmp_path), needs.token, needs.first)["sees"]
        assert not probe()(needs.out, needs.token, str(tmp_path / "b.png"))["first"]
        assert probe()(str(tmp_path / "no"), needs.token, "")["unwritable"]
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("found", "kind", "sentence"),
    [
        ({"version": "9.9"}, InputError, "node 10.0.0.2 of Ray has segmint 9.9, but here is"),
        ({"version": ""}, InputError, "node 10.0.0.2 of Ray has no segmint, but here is"),
        ({"sees": False}, OutputError, "node 10.0.0.2 of Ray does not see the output folder"),
        ({"unwritable": "No space left"}, OutputError, "into the output folder .*: No space left"),
        ({"first": False}, InputError, "node 10.0.0.2 of Ray cannot read the image .*a.png"),
    ],
)
def test_what_a_machine_lacks_is_named(
    found: dict[str, object], kind: type[SegmintError], sentence: str, tmp_path: Path
) -> None:
    with probed_needs(tmp_path, "a.png") as needs:
        fault = needs.fault("10.0.0.2", {**GOOD, **found})
    with pytest.raises(kind, match=sentence):
        raise fault or AssertionError
