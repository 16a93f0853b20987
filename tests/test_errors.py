from __future__ import annotations

import pytest

from segmint.errors import InputError, OutputError, SegmintError, UsageError, nearest


@pytest.mark.parametrize(
    ("error", "code"), [(SegmintError, 1), (InputError, 1), (OutputError, 1), (UsageError, 2)]
)
def test_exit_code(error: type[SegmintError], code: int) -> None:
    assert issubclass(error, SegmintError)
    assert error.exit_code == code


def test_nearest_offers_the_closest_and_lists_all_sorted() -> None:
    assert nearest("kmean", ["slic", "kmeans"]) == "did you mean 'kmeans'? Known: kmeans, slic"


def test_nearest_only_lists_when_nothing_is_close() -> None:
    assert nearest("zzz", ["slic", "kmeans"]) == "Known: kmeans, slic"
