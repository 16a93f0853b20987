"""What an unfinished run says of images: by the best weights of its checkpoints so far."""

from __future__ import annotations

import tempfile
from pathlib import Path

from segmint.errors import InputError, SegmintError
from segmint.recipes import supervised
from segmint.recipes.recipe import Predictor
from segmint.recipes.run_folder import LAST
from segmint.recipes.supervised_options import LossOptions, NetworkOptions
from segmint.reports.unfinished_run import UnfinishedRun

BEST = "checkpoints/best.ckpt"

_NETWORK = "network."
"""Before the names of the weights in a checkpoint."""


def add_prediction(run: UnfinishedRun, *, device: str = "auto", precision: str = "auto") -> bool:
    """Let an unfinished run answer with its best network so far.

    Args:
        run: whose data set was opened.
        device: where predictions are computed.
        precision: of their arithmetic.

    Returns:
        Whether it can; a run of several networks, or one without a checkpoint, cannot.
    """
    if run.splits is None or not any(
        isinstance(options, NetworkOptions) for options in run.settings.values()
    ):
        return False
    try:
        run.predict_by(_predictor(run, device=device, precision=precision))
    except SegmintError:
        return False
    return True


def _predictor(run: UnfinishedRun, *, device: str, precision: str) -> Predictor:
    """The recipe's own, of a folder with what a finished run would have."""
    from segmint.datasets.preprocessing import Preprocessing
    from segmint.datasets.transform_options import TransformOptions
    from segmint.inference.tiling import Tiling
    from segmint.objectives.objective import Objective

    assert run.splits is not None
    sections = {type(options): options for options in run.settings.values()}
    transform, loss = sections[TransformOptions], sections[LossOptions]
    assert isinstance(transform, TransformOptions)
    assert isinstance(loss, LossOptions)
    record = {
        **run.record,
        "preprocessing": Preprocessing.measured(run.splits.train, transform).as_dict(),
        "activation": supervised.activation_of(Objective(loss.objective)),
    }
    with tempfile.TemporaryDirectory(prefix="segmint-") as place:
        _write_network(run, Path(place) / supervised.NETWORK)
        return run.recipe.load(
            Path(place), record, device=device, precision=precision, tiling=Tiling()
        )


def _write_network(run: UnfinishedRun, path: Path) -> None:
    """The network of the best checkpoint, or of the last where no validation chose."""
    from segmint.networks import build
    from segmint.networks.storage import save_network
    from segmint.solvers.checkpoints import check_fits, read_checkpoint
    from segmint.solvers.training_facts import TrainingFacts

    chosen = next(each for each in run.settings.values() if isinstance(each, NetworkOptions))
    file = run.folder / (BEST if (run.folder / BEST).is_file() else LAST)
    checkpoint = read_checkpoint(file)
    configuration = TrainingFacts.read(file, checkpoint.facts).fixed.get("network")
    if not isinstance(configuration, dict):
        raise InputError(f"{file} does not tell how its network is built: wait for the end")
    network = build(chosen.network, **configuration)
    weights = {
        name.removeprefix(_NETWORK): value
        for name, value in {**checkpoint.task, **checkpoint.average}.items()
        if name.startswith(_NETWORK)
    }
    check_fits(file, weights, network.state_dict())
    network.load_state_dict(weights)
    save_network(path, network, name=chosen.network)
