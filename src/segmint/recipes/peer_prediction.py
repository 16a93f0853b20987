"""What the peers of a run say of an image, one alone, together, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.methods.method import Outcome
from segmint.metrics.disagreement import disagreement
from segmint.recipes.class_prediction import ClassPrediction, labels_of
from segmint.recipes.peers_record import read_peers
from segmint.solvers.peer_names import ENSEMBLE, SOLO

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.member import Member
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.inference.tiling import Tiling

Maps = NDArray[np.float32]
Region = NDArray[np.bool_] | None


class PeerPrediction:
    """Answers with one peer or one ensemble of a run, and with all of them on demand.

    Networks are read when they are needed, the one that was asked for at once.

    Args:
        folder: of the run.
        record: of the run, checked on reading.
        device: where networks compute.
        precision: of their arithmetic.
        tiling: how large images are cut.
        peer: name of a peer or an ensemble.

    Raises:
        InputError: for a damaged record or network.
        UsageError: for an unknown device or precision.
    """

    def __init__(
        self,
        folder: Path,
        record: dict[str, Any],
        *,
        device: str,
        precision: str,
        tiling: Tiling,
        peer: str,
    ) -> None:
        self.prediction = ClassPrediction.of(
            folder, record, device=device, precision=precision, tiling=tiling
        )
        told = read_peers(record)
        self._files, self._ensembles = told.files, told.ensembles
        self._peer = peer
        self._read: dict[str, Member] = {}
        self.members = tuple(self._member(file) for file in self._asked(peer).values())
        """Those that answer together."""

    def __call__(self, image: Image, region: Region) -> Outcome:
        """The classes of an image by the peer that was asked for."""
        return self.several([image], [region], together=1)[0]

    def several(
        self, images: Sequence[Image], regions: Sequence[Region], *, together: int
    ) -> list[Outcome]:
        """The classes of images of one size by the peer that was asked for."""
        for image in images:
            self.prediction.check(image)
        means = self._means(self._asked(self._peer), images, together)
        return [
            self._outcome(maps, image, region)
            for maps, image, region in zip(means, images, regions, strict=True)
        ]

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images of a size go together."""
        return self.prediction.at_once(self.members, size)

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """The classes of a scene, by the mean of those that answer together."""
        return self.prediction.scene_outcome(self.members, scene)

    def answers(self, image: Image, region: Region) -> dict[str, NDArray[np.int32]]:
        """Labels by the name of every peer and ensemble; each network is computed once."""
        self.prediction.check(image)
        labels: dict[str, NDArray[np.int32]] = {}
        sums: dict[str, Maps] = {}
        for file in self._all_files():
            found = self._probabilities(file, image)
            for name in (name for name, own in self._files.items() if own == file):
                labels[name] = labels_of(found, region)
            for name, members in self._ensembles.items():
                if file in members.values():
                    sums[name] = sums[name] + found if name in sums else found
        means = {
            name: sums[name] / np.float32(len(members)) for name, members in self._ensembles.items()
        }
        answers = {name: labels_of(mean, region) for name, mean in means.items()}
        return {**{name: labels[name] for name in self._files}, **answers}

    def _asked(self, name: str) -> Mapping[str, str]:
        """Files of the networks that answer under a name."""
        return self._ensembles.get(name) or {name: self._files[name]}

    def _all_files(self) -> list[str]:
        """Every file once; members of an ensemble come in its own order."""
        members = [file for told in self._ensembles.values() for file in told.values()]
        return list(dict.fromkeys([*members, *self._files.values()]))

    def _outcome(self, maps: Maps, image: Image, region: Region) -> Outcome:
        """What the mean of those that answer says of an image."""
        outcome = self.prediction.outcome(maps, region)
        members = self._ensembles.get(self._own_ensemble())
        if members is None:
            return outcome
        return replace(outcome, uncertainty=partial(self._uncertainty, members, image, region))

    def _means(
        self, members: Mapping[str, str], images: Sequence[Image], together: int
    ) -> list[Maps]:
        """The mean probabilities of networks for each image."""
        each = (
            self.prediction.several_probabilities(self._member(file), images, together=together)
            for file in members.values()
        )
        means = next(each)
        for found in each:
            means = [total + maps for total, maps in zip(means, found, strict=True)]
        return [total / np.float32(len(members)) for total in means]

    def _own_ensemble(self) -> str:
        """The ensemble whose members the one that was asked for belongs to."""
        return f"{ENSEMBLE}{SOLO}" if self._peer.endswith(SOLO) else ENSEMBLE

    def _uncertainty(self, members: Mapping[str, str], image: Image, region: Region) -> Maps:
        """How much the members of an ensemble disagree, in bits; 0 outside the region."""
        bits = disagreement([self._probabilities(file, image) for file in members.values()])
        return bits if region is None else np.where(region, bits, np.float32(0))

    def _probabilities(self, file: str, image: Image) -> Maps:
        return self.prediction.probabilities(self._member(file), image)

    def _member(self, file: str) -> Member:
        if file not in self._read:
            self._read[file] = self.prediction.member(file, "softmax")
        return self._read[file]
