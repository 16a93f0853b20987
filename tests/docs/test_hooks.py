"""The programs of the site."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PACKAGES = ["", ".images", ".datasets", ".datasets.synthetic", ".objectives", ".mixtures"]


@pytest.mark.parametrize("package", [f"segmint{name}" for name in (*PACKAGES, ".metrics")])
def test_places_of_public_names_are_theirs(package: str, root: Path, reference: ModuleType) -> None:
    names = importlib.import_module(package).__all__
    places = reference.public_names(root / "src", package)
    assert list(places) == [name for name in names if not name.startswith("__")]
    for name, place in places.items():
        module, _, attribute = place.rpartition(".")
        shown = getattr(importlib.import_module(package), name)
        assert getattr(importlib.import_module(module), attribute) is shown


def test_a_name_is_shown_once(root: Path, reference: ModuleType) -> None:
    packages = [f"segmint{name}" for name in (*PACKAGES, ".metrics")]
    shown = [
        block
        for package in packages
        for block in reference.blocks_of(root / "src", package)
        if block.startswith(":::")
    ]
    assert "::: segmint.metrics.covering.covering" in shown
    assert len(set(shown)) == len(shown)


def test_a_notebook_becomes_a_page(notebooks: ModuleType) -> None:
    picture = {"image/png": "iVBORw0KGgo="}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell(
                "print(1)",
                outputs=[
                    new_output("stream", name="stdout", text="1\n"),
                    new_output("stream", name="stderr", text="careful"),
                    new_output("display_data", data={**picture, "text/plain": "<Figure>"}),
                    new_output("execute_result", data={"text/plain": "(2, 3)"}),
                ],
            ),
            new_code_cell("nothing = 1"),
        ]
    )
    page = notebooks.page_of(notebook, "tour")
    assert page.markdown.startswith("# Title\n\n````python\nprint(1)\n````")
    assert "````text\n(2, 3)\n````" in page.markdown
    assert "![Output of the cell above](tour-1.png)" in page.markdown
    assert page.markdown.count("notebook-output") == 1
    assert page.pictures == {"tour-1.png": b"\x89PNG\r\n\x1a\n"}
    assert page.complaints == ("careful",)


def test_every_page_is_in_the_navigation(root: Path) -> None:
    config = yaml.safe_load((root / "mkdocs.yml").read_text())
    listed = set(pages_of(config["nav"]))
    written = {page.relative_to(root / "docs").as_posix() for page in (root / "docs").rglob("*.md")}
    scripts = {f"notebooks/{path.stem}.md" for path in (root / "docs/notebooks").glob("*.py")}
    assert listed == written | scripts | {"contributing.md"}


def pages_of(nav: object) -> list[str]:
    """The files that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    assert isinstance(inner, list | type({}.values()))
    return [page for each in inner for page in pages_of(each)]


@pytest.mark.parametrize(
    ("html", "loaded"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ["https://cdn.example/a.js"]),
        ("<img alt='' src='//cdn.example/a.png'>", ["//cdn.example/a.png"]),
        ('<link rel="stylesheet" href="http://cdn.example/a.css">', ["http://cdn.example/a.css"]),
        ('<a href="https://example.org">there</a>', []),
        ('<script src="../assets/a.js"></script><img src="data:image/png;base64,//8">', []),
    ],
)
def test_what_a_page_loads_is_noticed(
    html: str, loaded: list[str], no_requests: ModuleType
) -> None:
    assert no_requests.loaded_from_elsewhere(html) == loaded


def test_the_theme_loads_nothing(root: Path) -> None:
    config = yaml.safe_load((root / "mkdocs.yml").read_text())
    assert config["theme"]["font"] is False
    assert "docs/hooks/no_requests.py" in config["hooks"]
    assert all((root / "docs" / script).is_file() for script in config["extra"]["polyfills"])
