from __future__ import annotations

import numpy as np

from segmint.images.block_cache import BlockCache

TEN = np.zeros(10, np.uint8)


def test_what_was_used_longest_ago_leaves_first() -> None:
    cache = BlockCache(limit=30)
    for name in "abc":
        cache.put(name, TEN)
    assert cache.get("a") is TEN
    cache.put("d", TEN)
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]


def test_room_grows_to_what_a_window_needs_and_no_further() -> None:
    cache = BlockCache(limit=10, ceiling=20)
    cache.put("large", np.zeros(11, np.uint8))
    assert cache.get("large") is None
    cache.make_room(1000)
    for name in "abc":
        cache.put(name, TEN)
    assert [cache.get(name) is not None for name in "abc"] == [False, True, True]
    cache.clear()
    assert cache.get("c") is None
