"""The errands ``change`` and ``save``: a finished result cut, merged or named by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segmint.app.changes import Changes
from segmint.app.errand import Telling
from segmint.app.errands.answers import answer_facts, files_in, most_components
from segmint.app.errands.carried_maps import carry_maps
from segmint.app.errands.held_images import opened_fit, opened_image
from segmint.app.errands.result_links import link_result
from segmint.app.views.view import write_label_view


def change_result(
    telling: Telling,
    *,
    path: str,
    name: str,
    fit: str,
    views: str,
    components: int | None = None,
    merged: Sequence[Sequence[int]] = (),
    names: Mapping[int | str, str] | None = None,
) -> dict[str, Any]:
    """Cut, merge and name components for the page, without writing a result.

    Args:
        telling: of how it goes; this takes one step.
        path: the image.
        name: what its visitor calls it.
        fit: folder of the result as the method made it.
        views: folder for the labels as they are now.
        components: to cut into; as the method left them when None.
        merged: groups of ids of that cut that become one.
        names: of ids that are left then.

    Returns:
        As ``segment``, without ``files``; a new cut has no maps.

    Raises:
        UsageError: for a change that cannot be done.
    """
    image = opened_image(Path(path), name)
    changes = Changes.of(components, merged, names)
    former = opened_fit(Path(fit), image)
    found = changes.applied(former)
    facts = answer_facts(found, image)
    # Merging leaves no tree in the result, but the next cut is one of the result as it was.
    facts["most_components"] = most_components(former)
    changes.write(Path(views))
    write_label_view(Path(views), image, found.labels, facts["slice"])
    return {**facts, **carry_maps(Path(fit), Path(views), image, former, changes)}


def save_result(
    telling: Telling,
    *,
    path: str,
    name: str,
    fit: str,
    result: str,
    components: int | None = None,
    merged: Sequence[Sequence[int]] = (),
    names: Mapping[int | str, str] | None = None,
) -> dict[str, Any]:
    """Write the result that a change was shown of, as ``segmint recut`` writes it.

    Args:
        telling: of how it goes; this takes one step.
        path: the image.
        name: what its visitor calls it.
        fit: folder of the result as the method made it.
        result: folder to write.
        components: as for :func:`change_result`.
        merged: as for :func:`change_result`.
        names: as for :func:`change_result`.

    Returns:
        ``files``: name and bytes of each.

    Raises:
        UsageError: for a change that cannot be done.
        OutputError: when a file cannot be written.
    """
    changes = Changes.of(components, merged, names)
    if changes == Changes():
        link_result(Path(fit), Path(result))
    else:
        image = opened_image(Path(path), name)
        changes.applied(opened_fit(Path(fit), image)).save(Path(result), image)
    return {"files": files_in(Path(result))}
