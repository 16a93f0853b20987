"""What the report says of peers: its numbers and its sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segmint.metrics import Confusion
from segmint.recipes.scoring import RunScores
from segmint.reports.page import Section
from segmint.reports.peer_facts import peer_facts
from segmint.reports.peer_scores import PeerScore, best_peer, gains, peer_scores
from segmint.reports.peer_section import peer_section

COUNTS = {"big": 100, "small": 10, "big-solo": 100, "small-solo": 10}


def record_of(
    *,
    solo: bool = True,
    frozen: str | None = None,
    teacher: str | None = None,
    peer_options: tuple[str, ...] = (),
    **mutual: Any,
) -> dict[str, Any]:
    """The record of a run of two peers; the history has two epochs."""
    names = ["big", "small"]
    twins = [name for name in names if solo and name != frozen]
    if frozen:
        peer_options += (f"{frozen}.weights=w.safetensors", f"{frozen}.frozen=true")
    peers = [
        {
            "name": name,
            "network": "unet",
            "file": f"networks/{name}.safetensors",
            "solo": name.endswith("-solo"),
            "best": {"epoch": 1 if name.startswith("big") else 2, "score": 0.5},
        }
        for name in (*names, *(f"{name}-solo" for name in twins))
    ]
    ensembles: dict[str, Any] = {
        "ensemble": {"members": dict.fromkeys(names, "f"), "best": {"epoch": 2, "score": 0.5}}
    }
    if len(twins) > 1:
        ensembles["ensemble-solo"] = {"members": {f"{name}-solo": "f" for name in twins}}
    history = [
        {"epoch": 1, "val_big/mean_iou": 0.6, "val_big-solo/mean_iou": 0.5},
        {
            "epoch": 2,
            "val_big/mean_iou": 0.55,
            "val_big/accuracy": 0.99,
            "val_small/mean_iou": 0.4,
            "val_small/accuracy": 0.8,
            "val_small/mean_dice": 0.7,
            "val_small-solo/mean_iou": 0.45,
            "val_ensemble/mean_iou": 0.58,
        },
    ]
    return {
        "peers": peers,
        "ensembles": ensembles,
        "history": history,
        "teacher": teacher,
        "seed": 0,
        "options": {
            "peers": {
                "peers": ["big=unet", "small=unet"],
                "peer_options": list(peer_options),
                "unlabelled": None,
                "unlabelled_batch_size": 0,
            },
            "mutual": {"teacher": teacher, "solo": solo, **mutual},
            "loss": {"objective": "cross_entropy"},
        },
    }


def section_of(record: dict[str, Any], scores: dict[str, PeerScore] | None = None) -> Section:
    found = peer_scores(record) if scores is None else scores
    return peer_section(record, found, COUNTS, place="the validation")


def table_of(section: Section) -> dict[str, list[str]]:
    (table,) = section.tables
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def run_scores(right: int, wrong: int) -> RunScores:
    counts = np.array([[right, wrong], [wrong, right]])
    confusion = Confusion(classes=(0, 1), counts=counts, unmatched=np.zeros(2, np.int64))
    return RunScores(classes=("a", "b"), confusion=confusion, images={}, seconds=0.0)


def test_scores_of_the_validation_are_those_of_the_best_epoch_of_each() -> None:
    found = peer_scores(record_of())
    assert found["big"] == PeerScore(name="big", epoch=1, mean_iou=0.6)
    assert found["small"] == PeerScore(
        name="small", epoch=2, mean_iou=0.4, accuracy=0.8, mean_dice=0.7
    )
    assert found["ensemble"].mean_iou == 0.58
    assert found["ensemble-solo"] == PeerScore(name="ensemble-solo")


def test_scores_of_a_split_are_counted_and_not_remembered() -> None:
    counted = {"big": run_scores(3, 1), "small": run_scores(1, 1)}
    found = peer_scores(record_of(), counted)
    assert found["big"].mean_iou == pytest.approx(0.6)
    assert found["big"].accuracy == 0.75
    assert found["small"].mean_iou == pytest.approx(1 / 3)
    assert found["big"].epoch == 1
    assert found["ensemble"].mean_iou is None


def test_a_gain_is_together_minus_alone() -> None:
    record = record_of()
    scores = peer_scores(record)
    assert gains(record, scores) == {"big": pytest.approx(0.1), "small": pytest.approx(-0.05)}
    scores["ensemble-solo"] = PeerScore(name="ensemble-solo", mean_iou=0.5)
    assert gains(record, scores)["ensemble"] == pytest.approx(0.08)


def test_an_ensemble_with_a_frozen_member_is_compared_with_none() -> None:
    record = record_of(frozen="big")
    scores = peer_scores(record)
    scores["ensemble-solo"] = PeerScore(name="ensemble-solo", mean_iou=0.5)
    assert set(gains(record, scores)) == {"small"}
    assert table_of(section_of(record, scores))["ensemble"][1:3] == ["-", "-"]


def test_the_best_peer_is_no_ensemble_and_no_twin() -> None:
    scores = {
        name: PeerScore(name=name, mean_iou=value)
        for name, value in {"a": 0.1, "b": 0.3, "b-solo": 0.5, "ensemble": 0.9}.items()
    }
    best = best_peer(scores)
    assert best is not None
    assert best.name == "b"
    assert best_peer({"a": PeerScore(name="a")}) is None


def test_the_table_has_a_row_for_each_peer_and_the_ensemble() -> None:
    section = section_of(record_of())
    (table,) = section.tables
    assert table.columns == (
        *("peer", "mean IoU together", "alone", "gain", "accuracy", "mean Dice"),
        *("best epoch", "parameters", "network"),
    )
    assert table_of(section) == {
        "big": ["0.600", "0.500", "+0.100", "-", "-", "1", "100", "unet"],
        "small": ["0.400", "0.450", "-0.050", "0.800", "0.700", "2", "10", "unet"],
        "ensemble": ["0.580", "-", "-", "-", "-", "2", "110", "all 2"],
    }
    bold = {
        (row[0].text, head)
        for row in table.rows
        for head, cell in zip(table.columns, row, strict=True)
        if cell.best
    }
    assert bold == {
        *(("big", "mean IoU together"), ("big", "alone")),
        *(("small", "accuracy"), ("small", "mean Dice")),
    }


def test_what_learning_together_brought_is_said_as_it_came_out() -> None:
    text = " ".join(section_of(record_of()).text)
    assert "The ensemble is 0.020 below the best peer, big." in text
    assert "together against alone: big (+0.100) did better; small (-0.050) did worse." in text
    assert "one training with one seed" in text


def test_a_gain_that_is_none_is_called_none() -> None:
    scores = peer_scores(record_of())
    scores["big-solo"] = PeerScore(name="big-solo", mean_iou=0.6001)
    scores["ensemble"] = PeerScore(name="ensemble", mean_iou=0.6)
    text = " ".join(section_of(record_of(), scores).text)
    assert "big (+0.000) did the same" in text
    assert "The ensemble is as good as the best peer, big." in text


def test_without_twins_nothing_is_claimed() -> None:
    section = section_of(record_of(solo=False))
    assert section.tables[0].columns[1:4] == ("mean IoU", "accuracy", "mean Dice")
    assert "cannot be told from this run" in section.text[-1]
    assert "--solo" in section.text[-1]


def test_without_validation_there_are_networks_and_no_scores() -> None:
    record = {**record_of(), "history": []}
    section = section_of(record)
    assert section.tables[0].caption == "No validation, so there are no scores."
    assert len(section.text) == 1
    assert table_of(section)["big"][:5] == ["-"] * 5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "big and small learned from the masks and each other."),
        (
            {"teacher": "big"},
            "small learned from the masks and big. big learned from the masks alone.",
        ),
        ({"frozen": "big"}, "small learned from the masks and big. big was frozen."),
    ],
)
def test_who_learned_from_whom_is_said(options: dict[str, Any], expected: str) -> None:
    assert section_of(record_of(**options)).text[0].startswith(expected)


def test_facts_tell_where_peers_differ_and_what_is_not_as_published() -> None:
    options = ("small.features=8", "small.objective=0.5*bce + 0.5*dice", "small.learning_rate=1e-4")
    record = record_of(peer_options=options, temperature=2.0, gate="surer", ramp_up_steps=1200)
    facts = dict(peer_facts(record, COUNTS))
    assert facts == {
        "networks": "2 peers and 2 that learn alone, 220 parameters in all",
        "peer big": "unet, 100 parameters",
        "peer small": "unet, 10 parameters, features 8, objective 0.5*bce + 0.5*dice, "
        "learning rate 0.0001",
        "mutual learning": "temperature 2, ramp-up over 1,200 steps, pixels where the teaching "
        "side is surer",
    }
    usual = dict(peer_facts(record_of(solo=False), {"big": 100, "small": 10}))
    assert usual["networks"] == "2 peers, 110 parameters in all"
    assert usual["mutual learning"].startswith("as published")
