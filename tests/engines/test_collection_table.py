"""Lists and tables of images. Reference: what was written into them."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from segmint.engines.collection import open_collection
from segmint.engines.collection_rows import Row
from segmint.engines.collection_table import read_table
from segmint.errors import InputError, UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(name: str, content: str | bytes) -> list[Row]:
    data = content if isinstance(content, bytes) else content.encode()
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(data)
    return list(read_table(name))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lists(end: str, mark: str) -> None:
    lines = ["# cells", "a.png", "", "  b c.png ", "./#d.png", "/x/../y.png", "é//f,g.png"]
    assert rows("in/l.TXT", mark + end.join(lines)) == [
        Row(2, "in/a.png"),
        Row(4, "in/b c.png"),
        Row(5, "in/#d.png"),
        Row(6, "/x/../y.png"),
        Row(7, "in/é/f,g.png"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_and_further_columns(separator: str, mark: str) -> None:
    lines = [
        "",
        'age; "Image";NAME;scribbles;region',
        "3;a.png;one;s.png;",
        ";;;;",
        "",
        '4;"b;""c"".png";;;/r.png',
    ]
    text = "\n".join(line.replace(";", separator) for line in lines).replace(
        f"{separator} ", separator
    )
    assert rows("t.csv", mark + text) == [
        Row(3, "a.png", "one", "", "s.png"),
        Row(6, f'b{separator}"c".png', "", "/r.png", ""),
    ]


@given(
    st.lists(
        st.tuples(st.text('ab;,"\t é#', min_size=1), st.text("ab é")).filter(
            lambda row: row[0].strip() and not row[0].strip().startswith(".")
        ),
        min_size=1,
    ),
    st.sampled_from(",;\t"),
)
def test_what_csv_writes_is_read(images: list[tuple[str, str]], separator: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator)
    writer.writerows([("notes", "file"), *((note, image) for image, note in images)])
    found = rows("w.csv", file.getvalue())
    assert [row.image for row in found] == [image.strip() for image, _ in images]


def test_a_field_of_several_lines_stands_where_it_ends() -> None:
    found = rows("t.csv", 'image,note\na.png,"x\n\ny"\nb.png,\n')
    assert found == [Row(4, "a.png"), Row(5, "b.png")]


def test_the_first_of_the_columns_that_may_name_images() -> None:
    assert rows("t.csv", "file,path,image\nf,p,i\n")[0].image == "i"
    assert rows("t.csv", "file,path\nf,p\n")[0].image == "p"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.txt", "", "l.txt names no image"),
        ("l.txt", "# a.png\n\n", "l.txt names no image"),
        ("l.txt", "a.png\nl.txt", "line 2 of l.txt names l.txt, which is a list or table"),
        ("l.txt", "a.png\n\n s3://b/a.png", "line 3 of l.txt names the address s3://b/a.png"),
        ("l.txt", b"\x89PNG\r\n\x1a\n\0\0\0", "line 1 of l.txt is not UTF-8|holds bytes"),
        ("l.txt", b"a.png\nb\0.png", "line 2 of l.txt holds bytes that are no text"),
        ("l.txt", "a.png\né.png".encode("latin-1"), "line 2 of l.txt is not UTF-8"),
        ("l.txt", "a.png".encode("utf-16"), "line 1 of l.txt is UTF-16"),
        ("l.txt", b"x" * 100_000, "line 1 of l.txt is longer than 65536 bytes"),
        ("t.csv", "", "t.csv names no image"),
        ("t.csv", "image\n", "t.csv names no image"),
        (
            "t.csv",
            "imgae,age\na.png,3",
            "no column 'image' .*its columns are imgae, age: .*'imgae'",
        ),
        ("t.csv", "a;b;c\n1;2;3", "its columns are a, b, c: rename"),
        ("t.csv", "image,Image\na,b", "has 2 columns 'image'"),
        ("t.csv", "image,age\na.png,3\nb,c.png,4", "line 3 of t.csv has 3 columns, accepted are 2"),
        ("t.csv", "image,age\na.png,3\nb.p", "line 3 of t.csv has 1 columns"),
        ("t.csv", "image,age\n,3", "line 2 of t.csv names no image"),
        ("t.csv", 'image,age\n"a.png,3\nb.png,4\n', "line 3 of t.csv is broken"),
        ("t.csv", 'image\n"a"b.png\n', "line 2 of t.csv is broken"),
        ("t.csv", 'image\n"' + "a\n" * 99_999, "t.csv is broken .field larger"),
        ("t.csv", "image,region\na.png,http://x/r.png", "line 2 of t.csv names the address"),
        ("t.csv", "image,name\na.png,../x", "line 2 of t.csv gives the name '../x'"),
        ("t.csv", "image,name\na.png,.x", "gives the name '.x'"),
        ("t.csv", "image,name\na.png,x\\y", "gives the name"),
        ("t.csv", "image,name\na.png,Manifest.jsonl", "gives the name 'Manifest.jsonl'"),
        ("t.csv", "image,name\na.png,manifest-1-of-3.jsonl", "not those of manifests"),
        ("t.csv", f"image,name\na.png,{'x' * 256}", "gives the name 'x"),
        ("t.parquet", b"PAR1 and nothing more", "t.parquet cannot be read as Parquet"),
        ("t.parquet", b"", "t.parquet cannot be read as Parquet"),
    ],
)
def test_what_is_refused(name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        rows(name, content)
    assert "accepted" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_names_given_twice(here: Path) -> None:
    Path("a.csv").write_text("image,name\nx.png,one\ny.png,\nx.png,one\n")
    Path("b.csv").write_text("image,name\nz.png,two\ny.png,ONE\n")
    assert [item.name for item in open_collection(["a.csv"])] == ["one", "y"]
    with pytest.raises(InputError, match=r"line 3 of b.csv gives the name 'one' as line 2 of a.cs"):
        open_collection(["a.csv", "b.csv"])


def test_given_names_go_before_others(here: Path) -> None:
    Path("t.csv").write_text("image,name,region\na.png,,\nb.png,A,\nc.png,,1\nc.png,,2\n")
    items = list(open_collection(["t.csv"]))
    assert [item.name for item in items[:2]] == ["a.png", "A"]
    assert [item.region for item in items] == [None, None, "1", "2"]
    folders = [*here.parts[1:]]
    assert [item.name for item in items[2:]] == [
        "-".join([*folders, "c.png"]),
        "-".join([*folders, "c.png-2"]),
    ]


def table(name: str, columns: dict[str, object], **options: object) -> str:
    parquet.write_table(pa.table(columns), name, **options)
    return name


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet(here: Path, kind: pa.DataType) -> None:
    Path("in").mkdir()
    images = [f"{number}.png" for number in range(20_000)]
    texts = pa.array(images).cast(kind)
    regions = pa.array([None, "r.png"] * 10_000)
    name = table(
        "in/t.parquet",
        {"age": pa.array(range(20_000)), "Path": texts, "region": regions},
        row_group_size=3000,
    )
    found = list(read_table(name))
    assert found[:2] == [Row(1, "in/0.png"), Row(2, "in/1.png", "", "in/r.png")]
    assert [row.image for row in found] == [f"in/{image}" for image in images]
    assert [row.place for row in found] == list(range(1, 20_001))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"picture": ["a.png"]}, "no column 'image'"),
        ({"image": [1, 2]}, "column 'image' of t.parquet holds int64, accepted is text"),
        ({"image": [["a.png"]]}, "holds list"),
        ({"image": [{"path": "a.png"}]}, "holds struct"),
        ({"image": [b"a.png"]}, "holds binary"),
        ({"image": ["a.png"], "name": [3]}, "column 'name' of t.parquet holds int64"),
        ({"image": ["a.png", None]}, "row 2 of t.parquet names no image"),
        ({"image": ["a.png", "b\0.png"]}, "row 2 of t.parquet names 'b?.png'"),
        ({"image": ["gs://b/a.png"]}, "row 1 of t.parquet names the address"),
        ({"image": pa.array([], pa.string())}, "t.parquet names no image"),
        ({"image": ["a" * 70_000]}, "row 1 of t.parquet holds a text that is too long"),
    ],
    ids=range(11),
)
def test_parquet_that_is_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")) as caught:
        list(read_table(table("t.parquet", columns)))
    assert str(caught.value).isprintable()


def test_parquet_that_is_cut_or_changed() -> None:
    images = {"image": [f"{number}.png" for number in range(5000)]}
    data = Path(table("t.parquet", images, compression="none", use_dictionary=False)).read_bytes()
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        rows("cut.parquet", data[: len(data) // 2])
    with pytest.raises(InputError, match=r"bad\.parquet"):
        rows("bad.parquet", b"\xff" * 60_000 + data[60_000:])


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r"pip install 'segmint\[parquet\]'"):
        rows("t.parquet", b"")


def test_a_table_in_a_folder_is_not_read(here: Path) -> None:
    Path("in").mkdir()
    for name in ("a.png", "t.csv", "l.txt"):
        Path("in", name).touch()
    assert [item.image for item in open_collection(["in"])] == ["in/a.png"]
