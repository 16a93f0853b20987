from __future__ import annotations

import json
from collections.abc import Callable

from segmint.datasets import datasets


def test_data_sets_are_among_what_is_listed(succeeds: Callable[..., tuple[str, str]]) -> None:
    found = json.loads(succeeds("list", "--json")[0])
    assert found["data sets"] == {entry.name: entry.summary for entry in datasets.entries()}
    assert list(found) == ["methods", "recipes", "terms", "networks", "data sets", "commands"]
    assert "\ndata sets\n  voc2012 " in succeeds("list")[0]
