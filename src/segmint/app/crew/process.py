"""What runs in a process of the page: one errand after the other.

It ends when the server does, however that was, and whatever it does then.
"""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing
import os
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from segmint.app.crew.failures import failure, of_error
from segmint.app.crew.messages import Request, Sign, Trace
from segmint.app.crew.paths import without_folders
from segmint.app.crew.telling import LineTelling
from segmint.app.errand import Told
from segmint.app.errands.held import held
from segmint.errors import SegmintError
from segmint.forking import begin_process

_REST_SECONDS = 10.0
"""Without an errand, after which images are no longer held."""


def work(line: Connection, threads: int) -> None:
    """Do what the server asks for, until it is gone."""
    threading.Thread(target=_end_with_server, daemon=True).start()
    begin_process(threads)
    with suppress(EOFError, OSError):
        line.send(Sign.READY)
        while True:
            if not line.poll(_REST_SECONDS):
                _let_go()
            request = line.recv()
            if isinstance(request, Request):  # a sign to stop may come when all is done
                line.send(Sign.BEGUN)
                telling = LineTelling(line)
                told = _told(request, telling, line)
                telling.flush()
                line.send(told)


def _let_go() -> None:
    """Give memory back: images of a visitor who has left, or rests, and what they left behind."""
    held.clear()
    gc.collect()
    with suppress(OSError, AttributeError):  # of the GNU C library, which keeps freed memory
        ctypes.CDLL(None).malloc_trim(0)


def _told(request: Request, telling: LineTelling, line: Connection) -> Told:
    try:
        return Told(kind="done", data=_returned(request, telling))
    except Exception as error:  # noqa: BLE001 (a visitor's file may provoke anything)
        if not isinstance(error, SegmintError | MemoryError):
            line.send(Trace(traceback.format_exc()))
        data = of_error(error).data
        sentence = without_folders(data["sentence"], request.arguments)
        return failure(sentence, data["cause"], usage=data["usage"])


def _returned(request: Request, telling: LineTelling) -> dict[str, Any]:
    """What the errand's function returns, which is for a page, and so has to be plain."""
    returned = dict(request.entry.load()(telling, **request.arguments))
    json.dumps(returned)
    return returned


def _end_with_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        wait([server.sentinel])
        os._exit(1)
