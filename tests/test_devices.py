from __future__ import annotations

from typing import Any

import pytest
import torch

from segmint.devices import check_arithmetic, choose_device, choose_dtype, use_threads
from segmint.errors import UsageError


def test_cpu() -> None:
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_prefers_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def test_unknown_device_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown device 'cuba': did you mean 'cuda'\?"):
        choose_device("cuba")


@pytest.mark.parametrize("name", ["cuda:99", "cuda:first", "cpu:x"])
def test_device_that_is_not_here(name: str) -> None:
    with pytest.raises(UsageError, match=f"device '{name}' is not available on this machine"):
        choose_device(name)


def test_named_precision() -> None:
    cpu = torch.device("cpu")
    assert choose_dtype("float32", cpu) == torch.float32
    assert choose_dtype("bfloat16", cpu) == torch.bfloat16


@pytest.mark.parametrize(("supported", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_takes_bfloat16_where_the_hardware_does(
    monkeypatch: pytest.MonkeyPatch, supported: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8 if supported else 7, 0))
    assert choose_dtype("auto", torch.device("cpu")) == dtype
    assert choose_dtype("auto", torch.device("cuda")) == dtype


def test_auto_is_float32_on_other_devices() -> None:
    assert choose_dtype("auto", torch.device("mps")) == torch.float32


def test_unknown_precision_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown precision 'float16': did you mean 'bfloat16'\?"):
        choose_dtype("float16", torch.device("cpu"))  # type: ignore[arg-type]


def test_threads() -> None:
    before = torch.get_num_threads()
    try:
        use_threads(2)
        assert torch.get_num_threads() == 2
        use_threads(0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_torch_device() -> None:
    assert choose_device(torch.device("cpu")) == torch.device("cpu")
    check_arithmetic(0, torch.device("cpu"), "auto")
    with pytest.raises(UsageError, match="unknown device 'meta'"):
        choose_device(torch.device("meta"))


@pytest.mark.parametrize("device", [None, 3, ["cpu"]])
def test_what_is_no_device(device: Any) -> None:
    says = "accepted is a name such as 'auto', 'cpu' or 'cuda', or a torch.device"
    with pytest.raises(UsageError, match=says):
        choose_device(device)
    with pytest.raises(UsageError, match=says):
        check_arithmetic(0, device, "auto")


def test_what_is_no_precision() -> None:
    precision: Any = None
    with pytest.raises(UsageError, match="unknown precision None"):
        choose_dtype(precision, torch.device("cpu"))
    with pytest.raises(UsageError, match="unknown precision None"):
        check_arithmetic(0, "cpu", precision)
