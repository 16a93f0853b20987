"""Gradio is imported whole, and nothing is written beside its sources."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import inspect, pathlib
found, written = inspect.getfile, []
pathlib.Path.write_text = lambda self, *rest, **more: written.append(self)
from segmint.app.serving.importing_gradio import import_gradio
gradio = import_gradio()
assert inspect.getfile is found
assert written == [], written
with gradio.Blocks(analytics_enabled=False):
    gradio.Button("Go").click(print)
    gradio.HTML("x").upload(print)
print("whole")
"""


def test_imports_without_stub_files() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("whole\n", "")
