"""Lightning, set up to be nothing but a loop: no bars, no hints, no files of its own.

This file imports Lightning, so it is imported only when training runs.
"""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from segmint.solvers.job import Job
from segmint.solvers.place import Place
from segmint.termination import termination_interrupts
from segmint.torchvision_operators import declare_operators

declare_operators()

from lightning.fabric.plugins.environments.lightning import (  # noqa: E402
    LightningEnvironment,
)
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.strategies import (  # noqa: E402
    DDPStrategy,
    SingleDeviceStrategy,
    Strategy,
)

_THREADS = "OMP_NUM_THREADS"


def run_loop(module: LightningModule, job: Job, place: Place) -> None:
    """Let Lightning step a module until it says that it is over.

    Args:
        module: what learns.
        job: of the training.
        place: of this process; the processes are there already.

    Raises:
        KeyboardInterrupt: when the user stops it.
    """
    with _silence(), _interrupts_pass(), _threads_stay():
        trainer = Trainer(
            accelerator=job.device.type,
            devices=[job.device.index or 0] if job.device.type == "cuda" else 1,
            num_nodes=place.world,
            strategy=_strategy(job, place),
            plugins=_Environment(place),
            precision="bf16-mixed" if job.dtype == torch.bfloat16 else "32-true",
            max_epochs=-1,
            accumulate_grad_batches=job.optimizer.accumulate,
            sync_batchnorm=place.world > 1 and job.device.type == "cuda",
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=job.folder,
        )
        trainer.fit(module)


class _Environment(LightningEnvironment):
    """Processes that are there already; nothing is read from environment variables.

    To Lightning each is a machine with one device, wherever it runs.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self.set_world_size(place.world)
        self.set_global_rank(place.rank)

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def local_rank(self) -> int:
        return 0

    def node_rank(self) -> int:
        return self._place.rank


def _strategy(job: Job, place: Place) -> Strategy:
    if place.world == 1:
        return SingleDeviceStrategy(device=job.device)
    return DDPStrategy(find_unused_parameters=job.task.leaves_weights_out)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Lightning's hints from the terminal; what went wrong is raised anyway."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _threads_stay() -> Iterator[None]:
    """Keep Lightning from giving each of several processes all processors of the machine.

    It does so where the environment does not say how many threads there are, and then leaves its
    own number there.
    """
    if _THREADS in os.environ:
        yield
        return
    os.environ[_THREADS] = str(torch.get_num_threads())
    try:
        yield
    finally:
        os.environ.pop(_THREADS, None)


@contextmanager
def _interrupts_pass() -> Iterator[None]:
    """Let Ctrl-C arrive as what it is; Lightning makes an exit of it and ignores further ones.

    The same for the polite end that schedulers ask for, of which Lightning would make a success.
    """
    handler = _interrupt_handler()
    try:
        with termination_interrupts():
            yield
    except SystemExit as exit_:
        if isinstance(exit_.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from None
        raise


def _interrupt_handler() -> Any:
    return signal.getsignal(signal.SIGINT)
