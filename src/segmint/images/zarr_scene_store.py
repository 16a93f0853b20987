"""A Zarr folder whose chunks are looked at before they are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.images.scene_blocks import BadBlockError
from segmint.images.scene_expansion import grows_beyond
from segmint.images.zarr_metadata import ZarrArray
from segmint.images.zarr_scene_codecs import ZarrCoding

if TYPE_CHECKING:
    from zarr.storage import LocalStore

_METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
_SLACK = 1 << 12


def guarded_store(array: ZarrArray, coding: ZarrCoding, chunk_bytes: int) -> LocalStore:
    """The folder of an array, read only, that gives no chunk which would grow beyond its size.

    Args:
        array: which.
        coding: how it is stored.
        chunk_bytes: of a decoded chunk.
    """
    from zarr.abc.store import RangeByteRequest
    from zarr.storage import LocalStore

    class GuardedStore(LocalStore):
        """Raises ``BadBlockError`` for a chunk that was cut short or would fill the memory."""

        async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
            found = await super().get(key, prototype, byte_range)
            if found is None or key.rpartition("/")[2] in _METADATA:
                return found
            is_range = isinstance(byte_range, RangeByteRequest)
            if is_range and len(found) < byte_range.end - byte_range.start:
                raise BadBlockError("is cut short")
            is_index = coding.index_first and is_range and byte_range.start == 0
            if (is_range or byte_range is None) and not is_index and coding.compressor:
                _check(coding.compressor, found.to_bytes(), chunk_bytes)
            return found

    return GuardedStore(array.folder, read_only=True)


def _check(compressor: str, data: bytes, chunk_bytes: int) -> None:
    if grows_beyond(compressor, data, chunk_bytes + _SLACK):
        raise BadBlockError("holds more pixels than its place has: it is damaged")
