"""What a launcher, torchrun or SLURM's srun, tells each process that it starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.errors import UsageError

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

    from segmint.solvers.training_options import TrainingOptions

TORCHRUN, SRUN = "torchrun", "srun"

_STEP = ("SLURM_STEP_ID", "SLURM_STEPID")
_NO_STEP = 2**32 - 16
"""SLURM's numbers from here on are of what srun did not start, such as the script of a job."""
_RESTARTS = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One of the processes that a launcher has started."""

    launcher: str
    """``torchrun`` or ``srun``."""
    rank: int
    """Of this process among all, from 0."""
    local_rank: int
    """Among those of its machine, from 0."""
    nodes: int
    """Machines."""
    devices: int
    """Processes on each of them."""
    address: str
    """Of the machine where all meet."""

    @property
    def world(self) -> int:
        """Processes on all machines together."""
        return self.nodes * self.devices


_OF_TORCHRUN = (
    *("TORCHELASTIC_RUN_ID", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    *("MASTER_ADDR", "MASTER_PORT"),
)
"""What it tells each of its processes; fewer are left over from something else."""


def launched() -> Launch | None:
    """What a launcher says of this process; None where this process is the only one.

    Lightning reads it, so that the main address and its port are where Lightning would look.

    Raises:
        UsageError: when the launcher tells less than is needed.
    """
    if all(name in os.environ for name in _OF_TORCHRUN):
        return _told(TORCHRUN, _torchrun)
    if _is_of_srun() and os.environ.get("SLURM_NTASKS", "1") != "1":
        return _told(SRUN, _srun)
    return None


def restarts() -> int:
    """How often the launcher, or the scheduler, has started this command again."""
    counts = (os.environ.get(name, "") for name in _RESTARTS)
    return sum(int(count) for count in counts if count.isdecimal())


def check_shape(training: TrainingOptions, launch: Launch | None) -> None:
    """Refuse options that do not say what the launcher has started.

    Raises:
        UsageError: says both, and what to call.
    """
    nodes, devices = training.nodes, training.devices
    if launch is None:
        if nodes > 1:
            raise UsageError(
                f"--nodes is {nodes}, but no launcher has started this process: on each machine "
                f"call {_torchrun_command(nodes, devices)}, where HOST is one of them, or under "
                f"SLURM {_srun_command(nodes, devices)}"
            )
        return
    if (nodes, devices) != (launch.nodes, launch.devices):
        raise UsageError(
            f"--nodes {nodes} --devices {devices} asks for {nodes * devices} processes, but "
            f"{launch.launcher} has started {launch.world}, {launch.devices} on each of "
            f"{launch.nodes} machines: pass --nodes {launch.nodes} --devices {launch.devices}, or "
            f"call {_command(launch.launcher)(nodes, devices)}"
        )


def check_world(training: TrainingOptions, launch: Launch | None) -> None:
    """Refuse another number of processes than a run has, however they are spread over machines.

    Raises:
        UsageError: says both.
    """
    if launch is not None and training.world != launch.world:
        raise UsageError(
            f"{launch.launcher} has started {counted_processes(launch.world)}, but the training is "
            f"one of {counted_processes(training.world)}, on which its numbers depend: let "
            f"{launch.launcher} start {training.world}"
        )


def counted_processes(count: int) -> str:
    """A number of processes, as sentences say it.

    Example:
        >>> counted_processes(1), counted_processes(4)
        ('1 process', '4 processes')
    """
    return f"{count} process{'' if count == 1 else 'es'}"


def refuse_one_process_recipe(recipe: str, launch: Launch | None) -> None:
    """Refuse several processes of a recipe that learns in one.

    Raises:
        UsageError: says how many there are.
    """
    if launch is not None and launch.world > 1:
        raise UsageError(
            f"{recipe} learns in one process, but {launch.launcher} has started {launch.world}: "
            f"call segmint without {launch.launcher}"
        )


def _told(launcher: str, read: Callable[[], Launch]) -> Launch:
    from segmint.torchvision_operators import declare_operators

    declare_operators()
    try:
        return read()
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"{launcher} tells less of its processes than is needed ({reason}): call "
            f"{_command(launcher)(2, 2)}"
        ) from error


def _torchrun() -> Launch:
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    devices = int(os.environ["LOCAL_WORLD_SIZE"])
    return _launch(TORCHRUN, TorchElasticEnvironment(), nodes=0, devices=devices)


def _srun() -> Launch:
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

    environment = SLURMEnvironment(auto_requeue=False)
    nodes = int(os.environ.get("SLURM_STEP_NUM_NODES") or os.environ["SLURM_NNODES"])
    return _launch(SRUN, environment, nodes=nodes, devices=0)


def _launch(launcher: str, environment: ClusterEnvironment, *, nodes: int, devices: int) -> Launch:
    """The launch of an environment, from the machines or the processes on each."""
    world = environment.world_size()
    each = devices or max(nodes, 1)
    if world % each:
        raise ValueError(f"{world} processes cannot be spread evenly over machines by {each}")
    # Read for Lightning to find both in the environment, where torch looks for them.
    address, _ = environment.main_address, environment.main_port
    return Launch(
        launcher=launcher,
        rank=environment.global_rank(),
        local_rank=environment.local_rank(),
        nodes=nodes or world // each,
        devices=devices or world // each,
        address=address,
    )


def _is_of_srun() -> bool:
    """Whether srun has started this process, and not the script of a SLURM job."""
    steps = [os.environ[name] for name in _STEP if name in os.environ]
    return any(step.isdecimal() and int(step) < _NO_STEP for step in steps)


def _command(launcher: str) -> Callable[[int, int], str]:
    return _torchrun_command if launcher == TORCHRUN else _srun_command


def _torchrun_command(nodes: int, devices: int) -> str:
    return (
        f"'torchrun --nnodes {nodes} --nproc-per-node {devices} --rdzv-backend c10d "
        f"--rdzv-endpoint HOST:29500 -m segmint train ... --nodes {nodes} --devices {devices}'"
    )


def _srun_command(nodes: int, devices: int) -> str:
    return (
        f"'srun --nodes {nodes} --ntasks-per-node {devices} segmint train ... --nodes {nodes} "
        f"--devices {devices}'"
    )
