"""What runs in a process of the local engine: one batch after the other.

It ends when the driver does, however that was, and whatever it does then.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from segmint.engines.job import Seat, Work
from segmint.engines.outcome_line import OutcomeLine
from segmint.engines.workers import Died, Opened, Refused, Retired
from segmint.errors import InputError, OutputError, SegmintError, UsageError
from segmint.forking import begin_process

GRACE = 2.0
"""Seconds to leave no half files behind, for a process that is told to end."""
_LETTERS = 300
"""Of an error that nobody wrote for people."""


def work(line: Connection, worker: int, seat: Seat) -> None:
    """Do what the driver sends, first the job, then batches, until it is gone."""
    signal.signal(signal.SIGTERM, _leave)
    begin_process(seat.threads)
    sent: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(line, sent), daemon=True).start()
    with suppress(OSError):  # the driver is gone, and soon so is this process
        opened = _opened(line, worker, seat, sent)
        if opened is not None:
            _work(opened, line, worker, sent)


def plain(error: SegmintError) -> SegmintError:
    """An error of a kind that everybody knows, so that it can be sent."""
    kinds = (UsageError, InputError, OutputError)
    kind = next((kind for kind in kinds if isinstance(error, kind)), SegmintError)
    return kind(str(error))


def unexpected(error: BaseException) -> str:
    """What went wrong that never should, and where, for a sentence."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:_LETTERS]
    frames = traceback.extract_tb(error.__traceback__)
    return f"{text} in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else text


def _opened(line: Connection, worker: int, seat: Seat, sent: SimpleQueue[Any]) -> Work | None:
    """What the job becomes here; None where it cannot be opened, which is told."""
    try:
        opened: Work = _next(sent).open(seat)
    except SegmintError as error:
        line.send(Refused(worker=worker, error=plain(error)))
        return None
    except MemoryError:
        reason = "there is not enough memory for a worker: give fewer --workers"
        line.send(Refused(worker=worker, error=SegmintError(reason)))
        return None
    except Exception as error:  # noqa: BLE001 (whatever it is, the driver must hear of it)
        reason = f"a worker could not begin: unexpected {unexpected(error)}"
        line.send(Refused(worker=worker, error=SegmintError(reason)))
        return None
    line.send(Opened(worker=worker))
    return opened


def _work(opened: Work, line: Connection, worker: int, sent: SimpleQueue[Any]) -> None:
    report = OutcomeLine(line, worker)
    try:
        while True:
            for outcome in opened.do(_next(sent)):
                report.tell(outcome)
            report.flush(finished=True)
    except OutputError as error:
        report.flush()
        line.send(Retired(worker=worker, error=plain(error)))
    except Exception as error:  # noqa: BLE001 (whatever it is, the driver must hear of it)
        with suppress(Exception):  # what cannot be told is done again
            report.flush()
        line.send(Died(worker=worker, reason=unexpected(error), by_itself=True))


def _next(sent: SimpleQueue[Any]) -> Any:
    message = sent.get()
    if isinstance(message, Exception):
        raise message
    return message


def _listen(line: Connection, sent: SimpleQueue[Any]) -> None:
    """In a thread of its own: so the driver never waits, and its end is this one's."""
    while True:
        try:
            sent.put(line.recv())
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(GRACE)
            os._exit(1)
        except Exception as error:  # noqa: BLE001 (what cannot be read is a fault of the driver)
            sent.put(error)


def _leave(number: int, frame: object) -> None:
    """End as an error would, so that half files are removed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)
