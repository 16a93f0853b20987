"""How large the pictures say they are that some TIFF files have for tiles."""

from __future__ import annotations

_JPEG = frozenset({7})
_JPEG_2000 = frozenset({33003, 33005, 34712})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_CODESTREAM = b"\xff\x4f\xff\x51"


def declared_values(compression: int, data: bytes) -> int | None:
    """Values, pixels times samples, that a picture declares before it is decoded.

    Args:
        compression: number of the TIFF compression.
        data: one tile or strip.

    Returns:
        0 where the picture says nothing of use; None for compressions that are no pictures.
    """
    if compression in _JPEG:
        return _jpeg_values(data)
    if compression in _JPEG_2000:
        return _jpeg_2000_values(data)
    return None


def _jpeg_values(data: bytes) -> int:
    """The largest frame that a JPEG stream declares (ISO 10918-1, B.2.2)."""
    largest, place = 0, 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _FRAMES:
            height = int.from_bytes(data[place + 5 : place + 7], "big")
            width = int.from_bytes(data[place + 7 : place + 9], "big")
            largest = max(largest, height * width * data[place + 9])
        if marker == 0xDA:
            break
        without = marker in _WITHOUT_LENGTH
        place += 2 if without else 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return largest


def _jpeg_2000_values(data: bytes) -> int:
    """The largest grid that a JPEG 2000 stream declares (ISO 15444-1, A.5.1)."""
    largest, place = 0, data.find(_CODESTREAM)
    while place >= 0:
        width, height, left, top = (
            int.from_bytes(data[start : start + 4], "big")
            for start in range(place + 8, place + 24, 4)
        )
        components = int.from_bytes(data[place + 40 : place + 42], "big")
        largest = max(largest, (width - left) * (height - top) * components)
        place = data.find(_CODESTREAM, place + 4)
    return largest
