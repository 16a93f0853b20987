"""A line ``::all PACKAGE`` in a page becomes the documentation of every public name of the package.

So that a name that is added to ``__all__`` is on the page by itself. The files are read, not run.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = "segmint"
"""The package whose names are imported from elsewhere, and shown on its own page."""

_LINE = re.compile(r"^::all (\S+)$", re.MULTILINE)


def on_page_markdown(markdown: str, config: MkDocsConfig, **kwargs: Any) -> str:
    """Write out the names of the packages that the page asks for."""
    source = Path(config.docs_dir).parent / "src"

    def written_out(found: re.Match[str]) -> str:
        return "\n\n".join(blocks_of(source, found[1]))

    return _LINE.sub(written_out, markdown)


def blocks_of(source: Path, package: str) -> list[str]:
    """A block for each public name; what the root package shows, too, is told of and left out."""
    places = public_names(source, package)
    above = {} if package == ROOT else public_names(source, ROOT)
    there = [name for name, place in places.items() if place in above.values()]
    own = [f"::: {place}" for name, place in places.items() if name not in there]
    listed = ", ".join(f"`{name}`" for name in there)
    return [f"On the page of [{ROOT}]({ROOT}.md): {listed}.", *own] if there else own


def public_names(source: Path, package: str) -> dict[str, str]:
    """Where each name of ``__all__`` is defined, ``segmint.metrics.covering.covering``.

    Args:
        source: the folder that holds the package.
        package: with dots.
    """
    tree = ast.parse((source / package.replace(".", "/") / "__init__.py").read_text("utf-8"))
    places: dict[str, str] = {}
    public: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            places |= {
                each.asname or each.name: f"{node.module}.{each.name}" for each in node.names
            }
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            public = ast.literal_eval(node.value)
    names = [name for name in public if not name.startswith("__")]
    return {name: places.get(name, f"{package}.{name}") for name in names}
