"""The blocks of a scene kept as they come from other processes."""

from __future__ import annotations

from contextlib import closing

from segmint.images.scene import Scene
from segmint.inference.block_work import BlockWork
from segmint.inference.elsewhere import AskedBlocks, Elsewhere, SceneLooks
from segmint.inference.scene_answer import InTiles, SceneOutcome


def gather(work: BlockWork, outcome: SceneOutcome, elsewhere: Elsewhere) -> tuple[str, ...]:
    """Have all blocks answered that are not there, and keep each as soon as it comes.

    Args:
        work: whose blocks are missing.
        outcome: how they are answered.
        elsewhere: who answers.

    Returns:
        What was decided there and not here, one sentence each.

    Raises:
        InputError: when a part of the scene cannot be read or answered.
        OutputError: when a block cannot be written; those before it stay.
    """
    work.tell()
    missing = work.missing()
    if not missing:
        return ()
    answer = work.answers.answer
    asked = AskedBlocks(
        missing=missing,
        form=work.store.form,
        tile=answer.tile if isinstance(answer, InTiles) else None,
        image=looks_of(work.answers.scene),
        outcome=outcome,
    )
    notes: dict[str, None] = {}
    with closing(elsewhere(asked)) as blocks:
        for block in blocks:
            work.store.add(block.index, block.parts)
            notes.update(dict.fromkeys(block.notes))
            work.tell()
    return tuple(note for note in notes if note not in answer.notes)


def looks_of(scene: Scene) -> SceneLooks:
    """What another process must find in the file of a scene."""
    file = scene.source
    return SceneLooks(
        shape=scene.shape,
        channels=scene.channels,
        dtype=str(scene.dtype),
        bytes=file.stat().st_size if file is not None and file.is_file() else None,
    )
