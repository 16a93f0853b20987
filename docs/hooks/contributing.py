"""``CONTRIBUTING.md`` of the root as a page of the site, so that there is one text and not two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page, its links seen from the folder of the pages."""
    from mkdocs.structure.files import File

    source = Path(config.docs_dir).parent / "CONTRIBUTING.md"
    text = source.read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "contributing.md", content=text))
    return files
