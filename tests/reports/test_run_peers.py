"""The report of a run whose networks learned from each other."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmint.datasets.synthetic import write_cells
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import train
from segmint.reports import run_report
from segmint.reports.run_facts import parameters_by_network, parameters_of
from segmint.reports.run_findings import Findings
from segmint.reports.run_report import write_run_report, write_training_report

SMALL: dict[str, Any] = {
    "dataset": "folder",
    "peers": ("tiny=unet", "small=unet"),
    "peer_options": ("tiny.features=2", "tiny.levels=1", "small.features=4", "small.levels=1"),
    "solo": True,
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 3,
    "augmentation": "none",
}


def text_of(page: Path) -> str:
    return html.unescape(page.read_text(encoding="utf-8"))


def rows_of(text: str) -> dict[str, list[str]]:
    """Cells by the name of their row, of the table of peers."""
    body = text.split("<h2>Peers")[1].split("<tbody>")[1].split("</tbody>")[0]
    return {
        re.findall(r'<th scope="row">([^<]*)', row)[0]: re.findall(r"<td>(?:<strong>)?([^<]*)", row)
        for row in body.split("</tr>")[:-1]
    }


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    write_cells(folder / "data", train=3, val=3, height=64, width=72, cells=5)
    return train("mutual", folder / "data", out=folder / "run", **SMALL).folder


@pytest.fixture
def run(learned: Path, tmp_path: Path) -> Run:
    """The run in a folder of its own, for tests that write into it."""
    shutil.copytree(learned, tmp_path / "run")
    return Run(tmp_path / "run")


def test_peers_stand_on_the_page_with_their_scores(run: Run) -> None:
    text = text_of(write_run_report(run, examples=2).page)
    titles = re.findall(r"<h2>([^<]*)</h2>", text)
    assert titles[3:6] == ["Peers", "Scores", "What is taken for what"]
    assert text.count('class="label">disagreement<') == 2
    assert "Scores on the 3 images of folder val." in text
    rows = rows_of(text)
    assert list(rows) == ["tiny", "small", "ensemble"]
    val = open_again(run)
    for name, cells in rows.items():
        together = score_run(Run(run.folder, peer=name), val).means()
        alone = score_run(Run(run.folder, peer=f"{name}-solo"), val).means()
        gain = (together["mean_iou"] or 0) - (alone["mean_iou"] or 0)
        assert cells[:2] == [f"{together['mean_iou']:.3f}", f"{alone['mean_iou']:.3f}"]
        assert float(cells[2]) == pytest.approx(gain, abs=5.1e-4)
        assert cells[3] == f"{together['accuracy']:.3f}"


def test_each_network_is_computed_once_an_image(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    answers = run.answers

    def count(image: Any, **named: Any) -> dict[str, Any]:
        asked.append(image)
        return answers(image, **named)

    monkeypatch.setattr(run, "answers", count)
    monkeypatch.setattr(run, "predict", lambda *a, **k: pytest.fail("predicted once more"))
    found = write_run_report(run, examples=3)
    assert len(asked) == 3
    assert found.scores is not None
    np.testing.assert_array_equal(
        found.scores.confusion.counts,
        score_run(Run(run.folder), open_again(run)).confusion.counts,
    )


@pytest.mark.parametrize("peer", [None, "tiny", "ensemble"])
def test_the_page_says_whose_predictions_it_shows(run: Run, peer: str | None) -> None:
    asked = Run(run.folder, peer=peer)
    who = "the ensemble" if asked.peer == "ensemble" else f"peer {asked.peer}"
    text = text_of(write_run_report(asked, examples=1).page)
    assert f"of folder val, by {who}." in text
    assert f"Predicted by {who}." in text
    assert f"<p>Of {who}.</p>" in text
    assert "an image, for all networks together" in text


def test_a_training_ends_with_the_scores_of_its_validation(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_report, "SOON", 0.0)
    monkeypatch.setattr(run_report, "SOON_SHARE", 0.0)
    text = text_of(write_training_report(run))
    assert "Scores on the validation, of each at its own best epoch." in text
    rows = rows_of(text)
    for peer in run.record["peers"]:
        if not peer["solo"]:
            assert rows[peer["name"]][0] == f"{peer['best']['score']:.3f}"
            assert rows[peer["name"]][5] == str(peer["best"]["epoch"])
    together, apart = (
        run.record["ensembles"][name]["best"]["score"] for name in ("ensemble", "ensemble-solo")
    )
    assert rows["ensemble"][:2] == [f"{together:.3f}", f"{apart:.3f}"]
    best = {each["name"]: each["best"]["score"] for each in run.record["peers"]}
    best["ensemble"] = run.record["ensembles"]["ensemble"]["best"]["score"]
    assert run.peer is not None
    title = Findings(run=run, dataset=open_again(run)).title
    assert title == f"mutual on folder val: mean IoU {best[run.peer]:.3f}"


def test_without_its_data_the_page_has_the_peers_still(run: Run, tmp_path: Path) -> None:
    record = (run.folder / "run.json").read_text()
    gone = record.replace(str(run.record["dataset"]["root"]), str(tmp_path / "gone"))
    (run.folder / "run.json").write_text(gone)
    text = text_of(write_run_report(Run(run.folder)).page)
    titles = re.findall(r"<h2>([^<]*)</h2>", text)
    assert titles == [
        "What was asked",
        "Data",
        "How it learned",
        "Peers",
        "Time and versions",
        "How to go on",
    ]


def test_all_that_it_can_be_asked_is_told(run: Run) -> None:
    text = text_of(write_training_report(run))
    others = [name for name in run.peers if name != run.peer]
    assert f"segmint predict {run.folder} IMAGE --peer {others[0]}\n" in text.replace("<", "\n<")
    assert all(name in text.split("How to go on")[-1] for name in others)
    assert f"segmint predict {run.folder} IMAGE --uncertainty" in text


def test_each_network_is_counted_once(run: Run) -> None:
    from segmint.networks.storage import load_network

    files = [f"networks/{name}.safetensors" for name in ("tiny", "small")]
    tiny, small = (
        sum(each.numel() for each in load_network(run.folder / file).parameters()) for file in files
    )
    (run.folder / "networks" / "ensemble").mkdir(exist_ok=True)
    for file in files:
        shutil.copy(run.folder / file, run.folder / "networks" / "ensemble")
    assert parameters_of(run.folder) == 2 * (tiny + small)
    counts = parameters_by_network(run)
    assert counts == {"tiny": tiny, "small": small, "tiny-solo": tiny, "small-solo": small}
    text = text_of(write_training_report(run))
    assert f"2 peers and 2 that learn alone, {2 * (tiny + small):,} parameters in all" in text
