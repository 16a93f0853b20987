"""How much each process's loss counts in the loss of a global batch."""

from __future__ import annotations

import torch
import torch.distributed
from torch import Tensor

from segmint.solvers.place import Place


def share_of(place: Place, counted: Tensor | None) -> Tensor | None:
    """What the loss of this process is multiplied by, so that the mean over processes is right.

    With n_r counted by process r of R, it is ``R n_r / sum n``: the mean of the losses times their
    shares is their mean weighed by n. All processes call this alike.

    Args:
        place: of this process.
        counted: by this process, a scalar; None counts all alike.

    Returns:
        A scalar; None is 1.
    """
    if place.world == 1 or counted is None:
        return None
    own = counted.detach().double()
    total = own.clone()
    torch.distributed.all_reduce(total)
    return torch.where(total > 0, place.world * own / total, 1.0).float()
