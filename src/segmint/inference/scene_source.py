"""The file of a scene and how it is opened, so that each process opens it alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from segmint.images.choices import MAX_PIXELS
from segmint.images.inside_scene import looked_at
from segmint.images.opening_scenes import open_scene
from segmint.images.scene import Scene


@dataclass(frozen=True, kw_only=True)
class SceneSource:
    """An image with its region; plain data."""

    image: Path
    region: Path | None = None
    """File of a mask of the same size, nonzero where to look."""
    pages: str = "auto"
    """What the pages of a file are, as for :func:`segmint.read_image`."""
    skip_bad: bool = False
    """Whether pixels of damaged tiles are left out, as if outside the region."""
    max_pixels: int = MAX_PIXELS
    """Of files that must be decoded whole."""

    @contextmanager
    def opened(self) -> Iterator[tuple[Scene, Scene | None]]:
        """The scene as it counts inside its region, and the region.

        Raises:
            InputError: when a file cannot be read.
        """
        with ExitStack() as stack:
            scene = stack.enter_context(
                open_scene(
                    self.image,
                    pages=self.pages,
                    skip_bad=self.skip_bad,
                    max_pixels=self.max_pixels,
                )
            )
            region = None
            if self.region is not None:
                region = stack.enter_context(open_scene(self.region, max_pixels=self.max_pixels))
            yield looked_at(scene, region, skip_bad=self.skip_bad), region

    def absolute(self) -> SceneSource:
        """The same for processes that were started in another folder."""
        region = None if self.region is None else self.region.absolute()
        return replace(self, image=self.image.absolute(), region=region)
