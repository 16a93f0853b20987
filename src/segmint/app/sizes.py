"""Sizes as options name them."""

from __future__ import annotations

from segmint.errors import UsageError, shortened
from segmint.inference.memory_limit import MemoryLimit


def size_of(option: str, text: str) -> int:
    """The bytes that an option names.

    Args:
        option: its name on the command line, without dashes.
        text: a number with KiB, MiB, GiB, KB, MB, GB or nothing, which is bytes.

    Raises:
        UsageError: for any other text.

    Example:
        >>> size_of("max-upload", "2MiB")
        2097152
    """
    try:
        return MemoryLimit.of(text).total
    except UsageError as error:
        raise UsageError(
            f"--{option} is {shortened(text)!r}, accepted is a size such as 2GiB, 1500MB or a "
            "number of bytes: give one"
        ) from error


def shown_size(size: int) -> str:
    """A size as sentences say it.

    Example:
        >>> shown_size(512 * 2**20), shown_size(1_500_000), shown_size(10)
        ('512 MiB', '1.4 MiB', '10 bytes')
    """
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size / 2**power:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
