"""The colors of labels: one fixed color an id, the same in every picture, table and file."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from segmint.errors import UsageError

OUTSIDE_COLOR = (179, 179, 179)
"""Grey, for pixels outside the region and for nothing else."""

# Okabe and Ito's colors (2008) without black, then each the color farthest in CIE Lab from all
# before it, seen with full color vision, deuteranopia and protanopia (Machado et al. 2009); very
# dark, very light, greyish and garish colors apart. The last is OUTSIDE_COLOR.
_HEX = """
    0072B2 E69F00 009E73 D55E00 56B4E9 CC79A7 F0E442 BBEE99 880011 0055DD 553355 AAEEFF
    AAEECC EE1155 8888FF 223399 CCAA55 DDEE77 553377 006633 22CC88 994400 885588 1166CC
    33BBCC 88CCBB 994466 CC6633 7788DD 3377FF BB0033 44DDFF 663344 CCCC44 334411 CC9966
    6688BB 77EEAA 993399 996655 448888 BBDD77 2244BB FF7733 55EEDD 77AAFF 55CCCC 66BB99
    55DDAA CC7777 553366 AACC77 333388 0077CC BBCC55 22BB44 DDCC11 5544AA 00BB66 BB6688
    DDAA88 EEBBFF CC2233 AA5500 44AACC 0066DD 006699 116666 FF5544 663333 DD7700 00AAAA
    BBEE55 AA1155 AA66AA 664477 228866 AA4444 6677EE 664422 DD4444 66AA99 DD5566 664488
    7788CC 447799 DD88FF DDEE88 66CCDD 337777 774455 446622 0033AA 44AA88 AA5577 AA9922
    BB8855 FF7744 33BBBB 00AABB 2266EE AA2244 77DDBB 55DD99 77BBAA 55BBDD AACC66 554466
    88EE66 AA44AA BBBB22 00EE88 99DDEE CCEEBB 449966 EE8899 CCAAFF CC1144 114499 AA0022
    663388 AA44BB 009999 DD0055 FFCC66 77DDDD 661188 7744BB DD9977 8888EE 7777DD 55BB77
    CC8888 66CCAA CC5522 8822AA 11CC55 883300 88EEEE 6699CC DD4499 1155CC 881144 BB3322
    6699DD 880055 EECC88 CCBB44 77FFAA 00FFDD 77DDCC 448899 EEBB99 8899EE 44CCEE 992277
    BB5588 558833 FFAA33 DD88BB 55EEBB AA55BB DDDD44 7766DD 004466 AA4477 884488 4488AA
    22AA33 5599AA 008855 EE4433 EE6622 225577 55FFBB 335599 00FF99 009977 00DD77 880033
    7766CC 8877CC 1188FF 663311 00CC77 0077DD FFAA66 226644 DD66BB 99AA44 666633 44AA55
    CC5511 885511 AA88DD 77FF88 BB66BB EE99EE 88FF77 99AA66 007744 553399 77CC44 CC99DD
    0099EE DD7799 7766EE AA33AA 992244 FFDD55 448800 BB2211 DDEE66 99AA55 AADD55 AA4499
    CC6677 EE77CC DD2233 0088CC CC99EE FFBB33 0099FF AABB88 772222 4455BB 557722 EEAAEE
    6644CC EECC55 FF8844 CC0066 4488EE 999933 889944 88BBFF 22EECC BBCC99 775522 668844
    992233 006677 AACC88 8877FF 55CC66 DDDD33 881100 771177 339911 BB5566 EE7788 CCDDAA
    BB6644 FFDD99 888855 B3B3B3
"""


@functools.cache
def palette() -> npt.NDArray[np.uint8]:
    """The colors of ids 0 to 255, uint8 (256, 3), read-only; 255 is ``OUTSIDE_COLOR``.

    Among the first 20 no two look alike to readers with color-blindness, and no two of all are
    equal.
    """
    colors = np.frombuffer(bytes.fromhex(_HEX), dtype=np.uint8).reshape(256, 3)
    colors.flags.writeable = False
    return colors


def colors_of(ids: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Colors (..., 3) of ids of any shape.

    Ids from 255 on take the colors of 0 to 254 again; a negative id is ``OUTSIDE_COLOR``.
    """
    numbers = np.asarray(ids)
    return palette()[np.where(numbers < 0, 255, numbers % 255)]


def color_of(label: int) -> tuple[int, int, int]:
    """The color of one id as red, green and blue, 0 to 255.

    Raises:
        UsageError: for a negative id.

    Example:
        >>> color_of(0)
        (0, 114, 178)
    """
    if label < 0:
        raise UsageError(f"id is {label}, accepted is 0 or more: ids below 0 have no color")
    red, green, blue = colors_of(label).tolist()
    return red, green, blue


def to_hex(color: tuple[int, int, int]) -> str:
    """A color as ``#rrggbb``.

    Example:
        >>> to_hex((0, 114, 178))
        '#0072b2'
    """
    return "#" + bytes(color).hex()
