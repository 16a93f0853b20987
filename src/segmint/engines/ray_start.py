"""Starting Ray, or joining it, in a process that says nothing of it on the terminal."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from segmint.errors import UsageError


def imported_ray() -> Any:
    """Ray, which warns of this and that as it is imported.

    Raises:
        UsageError: when it is not installed.
    """
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


def start_ray(ray: Any, **options: Any) -> str:
    """Call ``ray.init``.

    Args:
        ray: imported.
        options: of that function.

    Returns:
        Why it failed, in one line; empty where it did not.
    """
    try:
        with warnings.catch_warnings(), _unheard(ray), _signals_kept():
            warnings.simplefilter("ignore")
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
    except (RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Let SIGTERM stop the work as it did before: Ray would make an exit of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
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
