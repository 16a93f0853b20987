"""Names of results that tables give: one image each."""

from __future__ import annotations

import numpy as np

from segmint.engines.collection_gathering import Gathered
from segmint.engines.collection_names import name_digests, repeated
from segmint.engines.collection_rows import Row, one_line
from segmint.engines.collection_table import place_of, read_table
from segmint.errors import InputError


def check_given_names(gathered: Gathered) -> None:
    """Refuse names that tables give to several images.

    Raises:
        InputError: names two of the lines.
    """
    given = gathered.images.given
    if not len(given):
        return
    rows = [row for row in gathered.rows if given.get(row)]
    shared = np.flatnonzero(repeated(name_digests(map(given.get, rows))))
    if len(shared):
        raise _refused(gathered, given[rows[int(shared[0])]])


def _refused(gathered: Gathered, name: str) -> InputError:
    """The tables are read again: that is cheaper than to keep the line of every image."""
    places: dict[Row, str] = {}
    for table in gathered.tables:
        for row in read_table(table):
            if row.name.casefold() == name.casefold():
                places.setdefault(row._replace(place=0), place_of(row, table))
    first, second = list(places.values())[:2]
    return InputError(
        f"{second} gives the name {one_line(name)!r} as {first} does, accepted is one image for "
        "each name: choose another"
    )
