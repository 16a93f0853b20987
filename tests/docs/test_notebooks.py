"""The notebooks run, and what they say is true of what they made."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

RESULTS = {
    "label_free_photo": (
        "{'cuts': [cut.components for cut in cuts.values()],"
        " 'ids': np.unique(guided.labels).tolist(),"
        " 'kept': bool((guided.labels == scribbles)[scribbles != 255].all()),"
        " 'fineness': [cut.components for cut in by_fineness.values()],"
        " 'covering': {name: row['covering'] for name, row in scores.items()},"
        " 'mean_iou': counts.mean_iou}"
    ),
    "mixtures_on_a_heart": (
        "{'dice': {name: row.tolist() for name, row in dice.items()},"
        " 'nll': {name: fit.history[-1]['nll'] for name, fit in fits.items()},"
        " 'entropy': [float(bits.max()) for bits in entropy.values()]}"
    ),
    "unet_on_membranes": (
        "{'sizes': [len(train), len(val)], 'steps': run.record['steps'],"
        " 'losses': [row['loss'] for row in history], 'accuracy': accuracy,"
        " 'v_rand': float(v_rand.max())}"
    ),
}
"""What to look at of the names that each notebook made."""


@pytest.fixture(scope="module")
def made(root: Path, notebooks: ModuleType) -> Any:
    """What a notebook made, and its page."""

    def run(name: str) -> tuple[dict[str, Any], Any]:
        script = root / "docs" / "notebooks" / f"{name}.py"
        extra = f"import json\nprint(json.dumps({RESULTS[name]}))"
        notebook = notebooks.executed(script, extra=extra)
        result = json.loads(notebook.cells[-1].outputs[0].text)
        notebook.cells.pop()
        page = notebooks.page_of(notebook, name)
        assert page.complaints == ()
        assert page.pictures
        assert all(picture.startswith(b"\x89PNG") for picture in page.pictures.values())
        assert all(len(picture) < 400_000 for picture in page.pictures.values())
        return result, page

    return run


def test_every_notebook_is_looked_at(root: Path) -> None:
    scripts = {path.stem for path in (root / "docs" / "notebooks").glob("*.py")}
    assert scripts == set(RESULTS)


def test_label_free_photo(made: Any) -> None:
    result, _ = made("label_free_photo")
    assert result["cuts"] == [3, 8, 20]
    assert result["ids"] == [0, 1, 2, 3, 4, 5]
    assert result["kept"]
    assert result["fineness"] == sorted(result["fineness"])
    covering = result["covering"]
    assert covering["scribbles"] > 0.75
    assert min(covering["scribbles"], covering["6 components"]) > covering["default"]
    assert covering["6 components"] > covering["k-means of colors, 6"] + 0.2
    assert result["mean_iou"] > 0.7


def test_mixtures_on_a_heart(made: Any) -> None:
    result, _ = made("mixtures_on_a_heart")
    blood, muscle, edema, scar = range(4)
    known, deep = result["dice"]["EM, known means"], result["dice"]["deepSVG"]
    assert known[blood] > 0.85
    assert known[edema] > result["dice"]["EM, by chance"][edema]
    assert all(deep[tissue] > known[tissue] for tissue in (blood, muscle, edema, scar))
    assert result["nll"]["varying weights, known means"] < result["nll"]["EM, known means"]
    assert all(0 < most <= 2.000001 for most in result["entropy"])


def test_unet_on_membranes(made: Any) -> None:
    result, page = made("unet_on_membranes")
    assert result["sizes"] == [12, 3]
    assert result["steps"] == 180
    assert result["losses"][-1] < 0.5 * result["losses"][0]
    assert result["accuracy"] > 0.94
    assert result["v_rand"] > 0.9
    assert "V_rand" in page.markdown
