from __future__ import annotations

import numpy as np
from PIL import Image as Pillow

from segmint.images.film import MOST_FRAMES, Film

PICTURE = np.full((30, 40, 3), 128, np.uint8)


def film_of(iterations):
    film = Film(PICTURE)
    for iteration in range(1, iterations + 1):
        film.add(iteration, film.draw(np.array([[0, iteration]])))
    return film


def test_a_short_film_keeps_every_frame(tmp_path):
    film_of(5).write(tmp_path / "film.gif")
    with Pillow.open(tmp_path / "film.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (5, (40, 30), 0)


def test_a_long_film_is_thinned_evenly():
    film = film_of(500)
    assert MOST_FRAMES / 2 <= len(film.frames) <= MOST_FRAMES
    wanted = [iteration for iteration in range(1, 501) if film.wants(iteration)]
    drawn = [film.draw(np.array([[0, iteration]])) for iteration in wanted]
    assert all(np.array_equal(a, b) for a, b in zip(film.frames, drawn, strict=True))


def test_frames_are_reduced_and_labels_enlarged():
    film = Film(np.zeros((100, 250, 3), np.uint8), longest_side=100)
    frame = film.draw(np.array([[0, 1], [2, 3]]))
    assert max(frame.shape) <= 100
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) == 4
