from __future__ import annotations

import stat
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.app.desks import desks as module
from segmint.app.desks.desk import Desk
from segmint.app.desks.desks import Desks
from segmint.app.desks.picture_name import picture_name
from segmint.app.options import LimitOptions
from segmint.errors import InputError, UsageError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def desks(tmp_path: Path, clock: Clock, closed: list[str]) -> Desks:
    limits = LimitOptions(keep=100, max_images=2, max_desk="1000")
    return Desks(tmp_path, limits, closing=closed.append, clock=clock)


def filled(desks: Desks, desk: Desk, size: int) -> None:
    desks.add_picture(desk, "a.png").file.write_bytes(b"x" * size)


class TestWhose:
    def test_one_for_each_tab(self, desks: Desks) -> None:
        desk = desks.open("anna", "tab")
        assert desks.open("anna", "tab") is desk
        assert desks.of("anna", "tab") is desk
        others = [desks.open("anna", "other"), desks.open("bert", "tab")]
        assert len({desk.id, *(each.id for each in others)}) == len(desks) == 3
        assert desks.of("bert", "other") is None

    def test_of_another(self, desks: Desks) -> None:
        desk = desks.open("anna", "tab")
        assert desks.by_id(desk.id, "anna") is desk
        for visitor in ("bert", "", "ann", "annä"):
            assert desks.by_id(desk.id, visitor) is None
        assert desks.by_id("", "anna") is None

    @pytest.mark.parametrize(("visitor", "session"), [("", "tab"), ("anna", "")])
    def test_of_nobody(self, desks: Desks, visitor: str, session: str) -> None:
        with pytest.raises(InputError, match="allow cookies"):
            desks.open(visitor, session)

    def test_folders_are_the_users_alone(self, desks: Desks) -> None:
        assert stat.S_IMODE(desks.open("anna", "tab").folder.stat().st_mode) == 0o700


class TestClosing:
    def test_deletes_everything(self, desks: Desks, tmp_path: Path, closed: list[str]) -> None:
        desk, other = desks.open("anna", "tab"), desks.open("bert", "tab")
        filled(desks, desk, 10)
        filled(desks, other, 10)
        desks.close(desk)
        assert closed == [desk.id]
        assert [path.name for path in tmp_path.iterdir()] == [other.id]
        assert desks.of("anna", "tab") is desks.by_id(desk.id, "anna") is None
        desks.close(desk)
        assert closed == [desk.id]

    def test_all(self, desks: Desks, tmp_path: Path) -> None:
        for visitor in "abc":
            desks.open(visitor, "tab")
        desks.close_all()
        assert (len(desks), list(tmp_path.iterdir())) == (0, [])

    def test_after_a_time_without_use(self, desks: Desks, clock: Clock) -> None:
        idle, seen, used = (desks.open(visitor, "tab") for visitor in ("idle", "seen", "used"))
        with desks.using(used):
            clock.now = 60
            desks.by_id(seen.id, "seen")
            clock.now = 110
            desks.expire()
            assert not idle.folder.exists()
            assert seen.folder.exists()
            assert used.folder.exists()
        clock.now = 200
        desks.expire()
        assert not seen.folder.exists()
        assert used.folder.exists()  # it was used at 110
        clock.now = 211
        desks.expire()
        assert len(desks) == 0

    def test_what_came_after_closing_is_removed(self, desks: Desks, tmp_path: Path) -> None:
        desk = desks.open("anna", "tab")
        desks.close(desk)
        (desk.folder / "1" / "views").mkdir(parents=True)
        desks.expire()
        assert list(tmp_path.iterdir()) == []

    def test_the_one_idle_for_longest_makes_room(
        self, desks: Desks, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_DESKS", 3)
        for visitor in "abc":
            desks.open(visitor, "tab")
            clock.now += 1
        desks.of("a", "tab")
        desks.open("d", "tab")
        assert [desks.of(visitor, "tab") is None for visitor in "abcd"] == [
            False,
            True,
            False,
            False,
        ]

    def test_one_with_an_image_stays_longer(
        self, desks: Desks, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_DESKS", 2)
        busy = desks.open("anna", "1")
        desks.add_picture(busy, "photo.png")
        clock.now = 5
        desks.open("bert", "1")
        desks.open("bert", "2")
        assert [desk is not None for desk in (desks.of("anna", "1"), desks.of("bert", "1"))] == [
            True,
            False,
        ]

    def test_many_tabs_of_one_close_no_other(
        self, desks: Desks, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_TABS", 2)
        desks.open("anna", "1")
        for tab in ("1", "2", "3"):
            clock.now += 1
            desks.open("bert", tab)
        assert desks.of("anna", "1") is not None
        assert desks.of("bert", "1") is None
        assert len(desks) == 3

    def test_no_room_while_all_work(self, desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_DESKS", 1)
        with desks.using(desks.open("a", "tab")):
            assert desks.open("a", "tab") is not None
            with pytest.raises(InputError, match="too many visitors"):
                desks.open("b", "tab")
        desks.open("b", "tab")


class TestPictures:
    def test_numbers_are_never_used_again(self, desks: Desks) -> None:
        desk = desks.open("anna", "tab")
        first = desks.add_picture(desk, "a.png")
        first.file.write_bytes(b"x")
        desk.current = 1
        desks.remove_picture(desk, first)
        assert not first.folder.exists()
        assert desk.current is None
        assert desks.add_picture(desk, "a.png").number == 2

    def test_too_many(self, desks: Desks) -> None:
        desk = desks.open("anna", "tab")
        for _ in range(2):
            desks.add_picture(desk, "a.png")
        with pytest.raises(InputError, match="2 images are open, which is as many as may be"):
            desks.add_picture(desk, "a.png")
        desks.remove_picture(desk, desk.pictures[1])
        desks.add_picture(desk, "a.png")

    def test_too_much(self, desks: Desks) -> None:
        desk = desks.open("anna", "tab")
        filled(desks, desk, 400)
        (desk.pictures[1].folder / "fit").mkdir()
        (desk.pictures[1].folder / "fit" / "labels.png").write_bytes(b"x" * 500)
        assert desks.bytes_of(desk) == 900
        assert desks.room(desk) == 100
        filled(desks, desk, 100)
        with pytest.raises(InputError, match="hold 1000 bytes, which is as much as may be"):
            desks.add_picture(desk, "b.png")
        desks.room(desks.open("bert", "tab"))

    def test_limit_that_is_no_size(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--max-desk is 'much', accepted is a size"):
            Desks(tmp_path, LimitOptions(max_desk="much"))


class TestNames:
    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ("photo.png", "photo.png"),
            ("../../../etc/passwd", "passwd"),
            (r"C:\images\Zelle 7.tif", "Zelle 7.tif"),
            ("größe-écran-画像.nii.gz", "größe-écran-画像.nii.gz"),
            ("a\0b\nc\x1b[31m.png", "ab c[31m.png"),
            ("\u202egnp.exe", "gnp.exe"),  # letters that turn the direction of reading
            ("...hidden.png", "hidden.png"),
            (".png", "picture.png"),
            ("", "picture"),
            ("..", "picture"),
            ("/", "picture"),
            ("CON.png", "_CON.png"),
            ("nul", "_nul"),
            ('a<b>:"|?*.png', "a_b______.png"),
            ("trailing. . ", "trailing"),
            ("\ud800.png", "picture.png"),
            ("x" * 300 + ".tif", "x" * 96 + ".tif"),
            ("x" * 300 + ".nii.gz", "x" * 93 + ".nii.gz"),
            ("a." + "b" * 300, "a." + "b" * 98),
        ],
    )
    def test_known(self, given: str, name: str) -> None:
        assert picture_name(given) == name

    @given(st.text() | st.text(alphabet=string.punctuation + " \n\0a"))
    def test_any(self, given: str) -> None:
        name = picture_name(given)
        assert 1 <= len(name) <= 100
        assert len(name.encode()) <= 200
        assert not set(name) & set('/\\:*?"<>|\0\n')
        assert name[0] != "."
        assert name[-1] not in ". "
        assert (Path("/folder") / name).parent == Path("/folder")
        assert picture_name(name) == name
