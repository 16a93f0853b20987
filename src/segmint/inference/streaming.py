"""A scene segmented block by block, so that memory does not grow and nothing is done twice."""

from __future__ import annotations

import json
import math
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from segmint.devices import memory_errors
from segmint.errors import InputError
from segmint.images.labels import stored_type
from segmint.images.scene import Scene
from segmint.images.zarr_labels import check_zarr
from segmint.inference.block_answers import BlockAnswers
from segmint.inference.block_form import BlockForm
from segmint.inference.block_gathering import gather
from segmint.inference.block_grid import BlockGrid
from segmint.inference.block_store import BlockStore
from segmint.inference.block_work import BlockWork
from segmint.inference.disk_room import check_room
from segmint.inference.elsewhere import Elsewhere
from segmint.inference.scene_answer import InTiles, SceneAnswer, SceneOutcome
from segmint.inference.scene_files import Form
from segmint.inference.scene_plan import PLAN, ScenePlan, difference, facts_of
from segmint.inference.scene_result import SceneResult
from segmint.inference.spool import Spool
from segmint.inference.write_failure import write_failure
from segmint.locking import only_writer

UNFINISHED = ".unfinished"
"""The folder within a result that holds the blocks until all are there."""

Tell = Callable[[str], None]

_BLOCKS, _STAGE = "blocks", "result"
_MAP_BYTES = 2
_MAP_COPIES = 2
"""The journal and the file."""
_LABEL_COPIES = 8 / 3
"""The journal, the file with its levels, and what is needed to make them: 1 + 4/3 + 1/3."""
_MARGIN = 1.01
"""What cannot be compressed grows a little when it is tried."""
_REST = 16 * 2**20
"""Bytes of pictures and tables."""


def segment_scene(
    scene: Scene,
    outcome: SceneOutcome | Callable[[], SceneOutcome],
    folder: Path,
    *,
    method: str,
    options: Mapping[str, Any],
    seed: int,
    region: Scene | None = None,
    probabilities: bool = False,
    form: Form = "tiff",
    identity: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    tell: Tell | None = None,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Any]:
    """Segment a scene of any size into a result folder.

    Blocks are answered one after the other, and another thread writes each into a journal in
    ``folder/.unfinished`` while the next is answered. When all are there the files of the result
    are made from it, ``result.json`` last. A process that is stopped, also by kill -9, loses the
    block it was at: the same call goes on after the last whole one, and gives the same bytes in all
    files (but for ``seconds`` in ``result.json``). It begins again, and tells why, where the image,
    the method, its options or anything else that decides labels is another one, and where the first
    block that was kept is answered otherwise now.

    Args:
        scene: what is segmented.
        outcome: what answers, or what makes it; that is called once there is room on the disk.
        folder: of the result, made when missing; files of an earlier result are replaced.
        method: for the record.
        options: all of the method's options with their values.
        seed: of everything random.
        region: one channel of the size of the scene, nonzero where to look.
        probabilities: write them and their entropy, too, as float16.
        form: of the labels and maps.
        identity: what else decides the labels, for example files of weights and the precision.
        progress: is told how many blocks are done, and of how many.
        tell: is told in a sentence that work goes on or begins again.
        elsewhere: who answers the blocks instead of this process, in any order; the bytes of the
            files are the same, and either goes on with what the other began.

    Returns:
        What ``result.json`` says.

    Raises:
        InputError: when region and scene do not fit together, or a part cannot be read.
        OutputError: when another process writes into the folder, there is not enough room, or a
            file cannot be written; what is finished is kept.
        UsageError: where Zarr or probabilities are asked for and not to be had.
        KeyboardInterrupt: says how to go on.
    """
    started = time.perf_counter()
    _check(scene, region, form)
    _check_room(folder, scene, classes=1, maps=False, there=0)
    try:
        with memory_errors(), _work_folder(folder) as work, Spool(work / _BLOCKS) as spool:
            made = outcome() if callable(outcome) else outcome
            classes = made.answer.classes
            further = {"method": method, "options": options, "seed": seed, **(identity or {})}
            facts = facts_of(scene, region, classes=classes, maps=probabilities, further=further)
            grid = _begin(work, spool, facts, scene, made.answer, tell or _mute)
            _check_room(folder, scene, classes=classes, maps=probabilities, there=spool.size)
            kept = BlockForm(
                grid=grid, classes=classes, channels=scene.channels, maps=probabilities
            )
            store = BlockStore(spool, kept)
            answers = BlockAnswers(
                scene=scene,
                region=region,
                answer=made.answer,
                form=kept,
                likeliest=made.likeliest,
            )
            blocks = BlockWork(answers=answers, store=store, progress=progress or _mute)
            notes = _run(blocks, made, tell or _mute, elsewhere)
            result = SceneResult(
                scene=scene,
                outcome=replace(made, notes=(*made.notes, *notes)),
                store=store,
                method=method,
                options=options,
                seed=seed,
                form=form,
                identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(facts))),
                started=started,
            )
            return result.write(folder, work / _STAGE)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(
            "stopped: what is finished is kept; run the same command again to go on"
        ) from stop


def is_unfinished(folder: Path) -> bool:
    """Whether a result folder holds blocks of a scene that is not finished.

    It may hold an earlier result all the same, which stays until the new one is whole.
    """
    work = folder / UNFINISHED
    try:
        return (work / PLAN).is_file() and (work / _BLOCKS).stat().st_size > 0
    except OSError:
        return False


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """The folder for blocks, for one process at a time; it goes when all is done, or nothing."""
    work = folder / UNFINISHED
    _make(folder)
    with only_writer(folder):
        try:
            _make(work)
            yield work
            (work / PLAN).unlink()
        finally:
            if not is_unfinished(folder):
                shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):  # it stays where anything is in it
                folder.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(folder, error) from error


def _begin(
    work: Path,
    spool: Spool,
    facts: Mapping[str, Any],
    scene: Scene,
    answer: SceneAnswer,
    tell: Tell,
) -> BlockGrid:
    """Go on with the blocks of the same work, or forget those of another; returns their grid."""
    grid = BlockGrid.of(scene, answer.block)
    before = ScenePlan.read(work)
    changed = "its plan is gone" if before is None else difference(before.facts, facts)
    if before is not None and changed is None:
        grid = replace(grid, block=before.block)
        if isinstance(answer, InTiles) and before.tile is not None:
            answer.keep_tile(before.tile)
        if spool.done:
            tell(f"goes on: {len(spool.done)} of {len(grid)} blocks were finished before")
        return grid
    if spool.done:
        tell(f"begins again, for the unfinished result is of other work: {changed}")
    spool.clear()
    tile = answer.tile if isinstance(answer, InTiles) else None
    ScenePlan(facts=facts, block=grid.block, tile=tile).write(work)
    return grid


def _run(
    work: BlockWork, outcome: SceneOutcome, tell: Tell, elsewhere: Elsewhere | None
) -> tuple[str, ...]:
    """Answer what is missing; returns what was decided elsewhere."""
    if not work.agrees():
        tell("begins again, for the blocks that were finished before are answered otherwise now")
        work.store.spool.clear()
    if elsewhere is not None:
        return gather(work, outcome, elsewhere)
    work.run()
    return ()


def _check(scene: Scene, region: Scene | None, form: Form) -> None:
    if form == "zarr":
        check_zarr()
    if region is None:
        return
    if region.shape != scene.shape or region.channels != 1:
        raise InputError(
            f"region {region.source or ''} is {_sides(region)} with {region.channels} channels and "
            f"the image {_sides(scene)}, accepted is one channel of the same size: give the region "
            "of this image"
        )


def _check_room(folder: Path, scene: Scene, *, classes: int, maps: bool, there: int) -> None:
    """Refuse where the disk could not hold even what cannot be compressed.

    Args:
        folder: of the result.
        scene: whose labels it will hold.
        classes: K.
        maps: whether probabilities and entropy are kept.
        there: bytes that earlier blocks take already.
    """
    label = stored_type(classes - 1).itemsize * _LABEL_COPIES
    numbers = (classes + 1) * _MAP_BYTES * _MAP_COPIES if maps else 0
    needed = math.ceil(math.prod(scene.shape) * (label + numbers) * _MARGIN) + _REST
    check_room(folder, needed - there, f"a result of {_sides(scene)} pixels")


def _sides(scene: Scene) -> str:
    return " x ".join(str(side) for side in scene.shape)


def _mute(*_: object) -> None:
    """Tell nobody."""
