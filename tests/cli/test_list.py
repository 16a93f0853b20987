from __future__ import annotations

import json
from collections.abc import Callable

from segmint.datasets import datasets
from segmint.metrics.protocols import protocols


def test_data_sets_are_among_what_is_listed(succeeds: Callable[..., tuple[str, str]]) -> None:
    found = json.loads(succeeds("list", "--json")[0])
    assert found["data sets"] == {entry.name: entry.summary for entry in datasets.entries()}
    families = ["methods", "recipes", "terms", "networks", "data sets", "protocols", "commands"]
    assert list(found) == families
    assert found["protocols"] == {entry.name: entry.summary for entry in protocols.entries()}
    assert "\ndata sets\n  voc2012 " in succeeds("list")[0]
