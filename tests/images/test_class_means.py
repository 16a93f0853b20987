from __future__ import annotations

import json
import os
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import ClassMeans, read_class_means, write_class_means

FULL = "class,LGE,T2,C0\nblood pool,1.5,-0.25,1.7\nscar,2,2.5e-1,0\n"
VALUES = [[1.5, -0.25, 1.7], [2, 0.25, 0]]


def read(folder: Path, text: str | bytes, name: str = "mu.csv") -> ClassMeans:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_class_means(path)


def facts(means: ClassMeans) -> tuple[tuple[str, ...], tuple[str, ...], list[list[float]]]:
    assert means.means.dtype == np.float64
    return means.names, means.channels, means.means.tolist()


NAMES, CHANNELS = ("blood pool", "scar"), ("LGE", "T2", "C0")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", FULL, (NAMES, CHANNELS, VALUES)),
        ("a.csv", "\ufeff" + FULL.replace("\n", "\r\n"), (NAMES, CHANNELS, VALUES)),
        ("a.csv", FULL.replace(",", " , ") + "\n\n", (NAMES, CHANNELS, VALUES)),
        ("a.txt", FULL.partition("\n")[2], (NAMES, (), VALUES)),
        ("a.csv", "1.5,-0.25,1.7\n2,.25,0", (("0", "1"), (), VALUES)),
        ("a.csv", "class,x\n7,1.5\n8,2\n", (("7", "8"), ("x",), [[1.5], [2]])),
        ("a.yaml", "blood pool: [1.5, -0.25, 1.7]\nscar: [2, 25e-2, 0]", (NAMES, (), VALUES)),
        (
            "a.YML",
            "blood pool: {LGE: 1.5, T2: -0.25, C0: 1.7}\nscar: {C0: 0, LGE: 2, T2: .25}",
            (NAMES, CHANNELS, VALUES),
        ),
    ],
)
def test_every_layout(tmp_path: Path, name: str, text: str, expected: object) -> None:
    assert facts(read(tmp_path, text, name)) == expected


@given(
    values=arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.integers(1, 4)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    with_channels=st.booleans(),
)
def test_what_is_written_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, with_channels: bool
) -> None:
    path = tmp_path_factory.mktemp("means") / "mu.csv"
    channels = tuple(f"c, {index}" for index in range(values.shape[1])) if with_channels else ()
    names = tuple(f"class {index}" for index in range(len(values)))
    write_class_means(path, ClassMeans(names=names, channels=channels, means=values))
    assert facts(read_class_means(path)) == (names, channels, values.tolist())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", b"\xff\xfe\x00\x80", "is no text"),
        ("a.csv", "a,1\0\n" + "x" * 140_000, "is no CSV"),
        ("a.csv", "", "holds 0 classes"),
        ("a.csv", "class,LGE\n", "holds 0 classes"),
        ("a.csv", "LGE,T2\n1,2\n", "holds 'T2' for class 'LGE'"),
        ("a.csv", "blood\nscar\n", "holds no numbers"),
        ("a.csv", "class,LGE,T2\na,1,2\nb,1\n", "gives class 'b' 1 numbers where 2"),
        ("a.csv", "class,LGE\na,1,2\n", "gives class 'a' 2 numbers where 1"),
        ("a.csv", "a,1,2\nb,1,2,3\n", "gives class 'b' 3 numbers where 2"),
        ("a.csv", "a,1,nan\n", "holds 'nan' for class 'a'"),
        ("a.csv", "a,1,-inf\n", "holds '-inf' for class 'a'"),
        ("a.csv", "a,1,1e999\n", "holds '1e999' for class 'a'"),
        ("a.csv", "a,1\na,2\n", "has the class 'a' 2 times"),
        ("a.csv", "class,x,x\na,1,2\n", "has the channel 'x' 2 times"),
        ("a.csv", "class,x\n,2\n", "a class without a name"),
        ("a.csv", "".join(f"c{i},1\n" for i in range(256)), "holds 256 classes"),
        ("a.csv", "1" * (2**20 + 1), "at most 1048576"),
        ("a.yaml", "a: [1", "is no YAML"),
        ("a.yaml", "[" * 100_000, "is no YAML"),
        ("a.yaml", "- 1\n- 2\n", "holds no mapping"),
        ("a.yaml", "", "holds no mapping"),
        ("a.yaml", "{}", "holds 0 classes"),
        ("a.yaml", "a: 1\nb: 2", "does not give every class"),
        ("a.yaml", "a: {x: 1}\nb: {y: 1}", "does not give every class"),
        ("a.yaml", "a: [1]\nb: {y: 1}", "does not give every class"),
        ("a.yaml", "a: [1, .nan]", "holds nan for class 'a'"),
        ("a.yaml", "a: [1, true]", "holds bool for class 'a'"),
        ("a.yaml", "a: [1, [2]]", "holds list for class 'a'"),
        ("a.yaml", f"a: [1{'0' * 400}]", "holds int for class 'a'"),
        ("a.yaml", "a: [1]\na: [2]", "has the class 'a' 2 times"),
        ("a.yaml", "a: {x: 1, x: 2}", "has the channel 'x' 2 times"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []", "would make an object"),
        ("a.yaml", "a: [!!timestamp foo,1,2]", "is no YAML"),
        ("a.yaml", "a: [!!bool foo,1,2]", "is no YAML"),
        ("a.yaml", "a: [!!int '',1,2]", "is no YAML"),
        ("a.yaml", '"a\\ud800": [1]', "the class name 'a\\ud800' with control characters"),
        ("a.yaml", 'a: {"x\\e[1m": 1}', "the channel name 'x\\x1b[1m' with control characters"),
        ("a.csv", "a\x1b,1\n", "the class name 'a\\x1b' with control characters"),
        ("a.csv", '"a\nb",1\n', "the class name 'a\\nb' with control characters"),
        ("a.csv", "class,x\u2028y\na,1\n", "the channel name 'x\\u2028y' with control"),
        ("a.csv", "class;LGE;T2\na;1,5;2\n", "has semicolons between its cells, accepted are co"),
        ("a.csv", "class\tLGE\na\t1\n", "has tabs between its cells, accepted are commas"),
        ("a.yaml", "a: &b [*b]", "holds list for class 'a'"),
    ],
)
def test_what_is_no_table_of_means(
    tmp_path: Path, name: str, text: str | bytes, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, name)
    message = str(caught.value)
    assert words in message
    assert str(tmp_path / name) in message
    assert "\n" not in message


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    read(tmp_path, FULL, "mu_data.csv")
    with pytest.raises(InputError, match=r"did you mean 'mu_data\.csv'"):
        read_class_means(tmp_path / "mu_dat.csv")
    with pytest.raises(InputError, match="cannot be opened"):
        read_class_means(tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        read_class_means("a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_never_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mu.csv")
    for path in (tmp_path / "mu.csv", Path(os.devnull)):
        with pytest.raises(InputError, match="is a device or a pipe"):
            read_class_means(path)


def test_json_is_yaml(tmp_path: Path) -> None:
    text = json.dumps({"a": {"x": 1.5, "y": 2}})
    assert facts(read(tmp_path, text, "a.yaml")) == (("a",), ("x", "y"), [[1.5, 2.0]])
