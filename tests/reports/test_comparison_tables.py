"""The table of a comparison as text, Markdown, CSV and LaTeX, and what it says in words."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from segmint.comparisons.cell import CellResult
from segmint.comparisons.table import Column, ComparisonTable, Pairing, Spread, TableRow
from segmint.reports.comparison_cells import shown_columns
from segmint.reports.comparison_csv import cells_csv, pairs_csv, table_csv
from segmint.reports.comparison_latex import comparison_latex
from segmint.reports.comparison_markdown import comparison_markdown
from segmint.reports.comparison_outcome import outcome
from segmint.reports.comparison_pairs import pair_notes
from segmint.reports.comparison_text import comparison_text

IOU = Column(name="mean_iou", title="mean IoU")
NLL = Column(name="nll", title="NLL", better="lower", digits=2)
NASTY = ("a_b&c%", "<script>alert(1)</script>", "x | y", r"\input{x}$^~#", "`*[!]`")


def a_row(label: str, *values: float, answer: str = "", **others: Any) -> TableRow:
    told: dict[str, Any] = {
        "seeds": tuple(range(len(values))),
        "scores": {
            "mean_iou": Spread(values),
            "nll": Spread(tuple(4 - value for value in values)),
        },
        "classes": {"road": Spread(values), "tall tree": Spread(values)},
        "seconds": Spread((61.5,) * len(values)),
        "seconds_per_image": Spread((0.25,) * len(values)),
        "peak_mib": Spread((1234.5,) * len(values)),
        "steps": Spread((1000.0,) * len(values)),
        **others,
    }
    return TableRow(label=label, answer=answer, **told)


def a_table(*rows: TableRow, **others: Any) -> ComparisonTable:
    told: dict[str, Any] = {
        "dataset": "camvid",
        "split": "test",
        "root": "CamVid",
        "n_images": 8,
        "is_full": False,
        "seeds": (0, 1, 2),
        "columns": (IOU, NLL),
        "rows": rows or (UNET, RMI),
        "machine": "Some Processor, 2 cores",
        "command": "segmint compare unet rmi --data CamVid",
        **others,
    }
    return ComparisonTable(**told)


UNET = a_row("unet", 0.50, 0.52, 0.51)
RMI = a_row("rmi", 0.55, 0.56, 0.60)


def a_pairing(over: Any, adjusted: float | None, pairs: int = 3, **others: Any) -> Pairing:
    told: dict[str, Any] = {
        "first": "rmi",
        "second": "unet",
        "column": "mean_iou",
        "difference": 0.06,
        "p_value": adjusted,
        **others,
    }
    return Pairing(over=over, pairs=pairs, adjusted=adjusted, **told)


def columns(text: str) -> list[list[str]]:
    """Cells of the first block of a text, parted where there are two spaces."""
    lines = text.split("\n\n")[0].splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines]


def test_text_has_means_deviations_and_a_mark_at_the_best() -> None:
    head, _, unet, rmi = columns(comparison_text(a_table()))
    assert head == ["mean IoU", "NLL", "seeds", "seconds", "s/image", "peak MiB", "steps"]
    # Deviations by hand: the root of (0.01^2 + 0.01^2) / 2, and of 0.0014 / 2.
    assert unet[:3] == ["unet", "0.5100 ± 0.0100", "3.49 ± 0.01"]
    assert rmi[:3] == ["rmi", "*0.5700 ± 0.0265", "*3.43 ± 0.03"]
    assert unet[3:] == ["3", "61.5", "0.25", "1,234", "1,000"]


def test_text_says_what_every_table_must() -> None:
    text = comparison_text(a_table())
    for said in ("camvid test, 8 images", "3 seeds (0, 1, 2)", "Some Processor", "Lower is better"):
        assert said in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_text_fits_the_width(width: int) -> None:
    text = comparison_text(a_table(), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "steps" in text


def test_text_keeps_a_long_name_on_its_line() -> None:
    rows = (a_row("x" * 300, 0.5), a_row("a\nb", 0.6))
    lines = comparison_text(a_table(*rows)).splitlines()
    assert lines[2].startswith("x" * 26 + "…" + "x" * 13 + " ")
    assert lines[3].startswith("a b")


def test_one_seed_has_no_deviation() -> None:
    table = a_table(a_row("unet", 0.5), a_row("rmi", 0.6), seeds=(0,))
    text = comparison_text(table)
    assert "±" not in text
    assert "one seed" in text


def test_a_row_without_scores_has_dashes() -> None:
    _, _, _, rmi = columns(comparison_text(a_table(UNET, a_row("rmi"))))
    assert rmi == ["rmi", "-", "-", "0", "-", "-", "-", "-"]


def test_methods_that_learn_nothing_beforehand_have_no_seconds_of_learning() -> None:
    row = a_row("slic", 0.5, seconds=Spread((0.0,)), steps=Spread((0.0,)), peak_mib=Spread((None,)))
    titles = [column.title for column in shown_columns(a_table(row))]
    assert titles == ["mean IoU", "NLL", "seeds", "s/image"]


def test_published_figures_stand_beside_ours() -> None:
    row = a_row("unet", 0.5, 0.52, published={"mean_iou": 0.1965})
    table = a_table(row, RMI, published_source="A study, Table 1")
    for text in (comparison_text(table), comparison_markdown(table), comparison_latex(table)):
        assert "mean IoU, published" in text
        assert "0.1965" in text
        assert "A study, Table 1" in text
    titles = [column.title for column in shown_columns(table)]
    assert titles[:3] == ["mean IoU", "mean IoU, published", "NLL"]


def test_failures_and_gaps_are_told_everywhere() -> None:
    failure = CellResult(label="rmi", seed=1, error="the loss is no longer a number")
    table = a_table(failures=(failure,), missing=("rmi, seed 2",))
    for text in (comparison_text(table), comparison_markdown(table)):
        assert "rmi, seed 1: the loss is no longer a number" in text
        assert "rmi, seed 2" in text
        assert "Unfinished: 5 of 6 cells have run." in text
    latex = comparison_latex(table)
    assert "no longer a number" in latex
    assert "Unfinished" in latex


def markdown_rows(text: str) -> list[list[str]]:
    """Cells of all lines of tables, parted at bars that no backslash escapes."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]


def test_markdown_is_a_table_in_the_shape_of_the_study() -> None:
    head, rules, unet, rmi = markdown_rows(comparison_markdown(a_table()))
    assert [each.strip() for each in head[:4]] == ["data", "model", "mean IoU", "NLL"]
    assert len(head) == len(rules) == len(unet) == len(rmi)
    assert [each.strip() for each in unet[:3]] == ["camvid test", "unet", "0.5100 ± 0.0100"]
    assert [each.strip() for each in rmi[:3]] == ["", "rmi", "**0.5700 ± 0.0265**"]


@pytest.mark.parametrize("label", NASTY)
def test_markdown_takes_no_name_for_markup(label: str) -> None:
    text = comparison_markdown(a_table(a_row(label, 0.5), RMI, command="segmint ```"))
    assert len({len(row) for row in markdown_rows(text)}) == 1
    bare = re.sub(r"```+sh\n.*", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<", bare)
    for letter in label:
        if not letter.isalnum() and letter not in " ()/%^":
            assert f"\\{letter}" in bare
    assert "\n````sh\nsegmint ```\n````\n" in text


def test_csv_has_numbers_that_read_back() -> None:
    row = a_row("unet", 0.50, 0.52, answer="a,b", published={"mean_iou": 0.1965})
    found = list(csv.DictReader(io.StringIO(table_csv(a_table(row, RMI)))))
    assert [each["label"] for each in found] == ["unet", "rmi"]
    assert found[0]["answer"] == "a,b"
    assert float(found[0]["mean_iou"]) == pytest.approx(0.51)
    assert float(found[0]["mean_iou_deviation"]) == pytest.approx(0.0002**0.5, rel=1e-5)
    assert float(found[0]["mean_iou_published"]) == 0.1965
    assert (found[0]["dataset"], found[0]["split"], found[0]["images"]) == ("camvid", "test", "8")
    assert (found[0]["seeds"], found[1]["seeds"]) == ("2", "3")
    assert found[1]["mean_iou_published"] == ""


def test_csv_of_cells_has_every_seed_and_class() -> None:
    found = list(csv.DictReader(io.StringIO(cells_csv(a_table()))))
    assert [(each["label"], each["seed"]) for each in found] == [
        (label, seed) for label in ("unet", "rmi") for seed in "012"
    ]
    assert [float(each["mean_iou"]) for each in found[3:]] == [0.55, 0.56, 0.60]
    assert float(found[3]["iou_tall tree"]) == 0.55


def test_csv_of_pairs() -> None:
    table = a_table(pairings=(a_pairing("seeds", None), a_pairing("images", 0.02, p_value=0.01)))
    first, second = csv.DictReader(io.StringIO(pairs_csv(table)))
    assert (first["over"], first["p_value"], first["p_holm"]) == ("seeds", "", "")
    assert (second["first"], second["second"]) == ("rmi", "unet")
    assert (float(second["p_value"]), float(second["p_holm"])) == (0.01, 0.02)


def unescaped(text: str, letters: str) -> list[str]:
    return re.findall(rf"(?<!\\)[{re.escape(letters)}]", text)


def test_latex_is_booktabs_and_nothing_else() -> None:
    text = comparison_latex(a_table())
    commands = set(re.findall(r"\\([a-zA-Z]+)", text))
    assert commands == {
        "usepackage",  # in the comment
        *("begin", "end", "centering", "caption", "pm", "mathbf"),
        *("toprule", "midrule", "bottomrule"),
    }
    assert r"$\mathbf{0.5700 \pm 0.0265}$" in text
    assert r"$0.5100 \pm 0.0100$" in text
    assert "1{,}234" in text


@pytest.mark.parametrize("label", ["unet", *NASTY])
def test_latex_is_whole_whatever_the_names(label: str) -> None:
    text = comparison_latex(a_table(a_row(label, 0.5, 0.6), a_row("rmi"), dataset=label))
    body = text.split("\n", 1)[1]
    assert unescaped(body, "{").__len__() == unescaped(body, "}").__len__()
    assert len(unescaped(body, "$")) % 2 == 0
    assert not unescaped(body, "%#")
    assert not re.search(r'[<>|"~±]', body)
    (columns,) = re.findall(r"\\begin\{tabular\}\{(l+r+)\}", body)
    lines = [line for line in body.splitlines() if line.endswith(r" \\")]
    assert len(lines) == 3
    assert {len(unescaped(line, "&")) for line in lines} == {len(columns) - 1}


def test_outcome_that_seeds_confirm() -> None:
    table = a_table(pairings=(a_pairing("seeds", 0.0123), a_pairing("images", 0.0004, 8)))
    assert outcome(table) == (
        "rmi is best on camvid test, 8 images: mean IoU 0.5700 ± 0.0265 over 3 seeds, 0.0600 above "
        "unet, which is more than chance of the seeds (paired t-test over 3 seeds, p = 0.012). "
        "On these weights, image by image, rmi is better than unet (Wilcoxon's signed-rank test "
        "over 8 images, p < 0.001)."
    )


def test_outcome_that_seeds_do_not_confirm() -> None:
    pairings = (
        a_pairing("seeds", 0.4),
        a_pairing("images", 0.3, 8),
        a_pairing("seeds", 0.9, first="x", second="unet"),
    )
    assert outcome(a_table(pairings=pairings)) == (
        "Over seeds no difference between rmi and unet can be told on camvid test, 8 images: mean "
        "IoU 0.5700 ± 0.0265 over 3 seeds against 0.5100 ± 0.0100 (paired t-test over 3 seeds, p = "
        "0.400 after Holm's correction over the 2 pairs that could be tested). On these weights, "
        "image by image, no difference between rmi and unet shows (Wilcoxon's signed-rank test "
        "over 8 images, p = 0.300)."
    )


def test_outcome_of_one_seed_claims_nothing() -> None:
    table = a_table(
        a_row("unet", 0.5), a_row("rmi", 0.6), seeds=(0,), pairings=(a_pairing("seeds", None, 1),)
    )
    assert "comes first" in outcome(table)
    assert "whether other seeds would agree one seed cannot tell" in outcome(table)


def test_outcome_of_rows_that_do_not_depend_on_the_seed() -> None:
    rows = (a_row("unet", 0.5, 0.5, 0.5), a_row("rmi", 0.6, 0.6, 0.6))
    said = outcome(a_table(*rows, pairings=(a_pairing("seeds", None),)))
    assert "rmi is best" in said
    assert "the same with all 3 seeds" in said


def test_outcome_compares_with_another_arm() -> None:
    rows = (
        UNET,
        a_row("mutual", 0.6, 0.61, 0.62, answer="ensemble"),
        a_row("mutual", 0.6, 0.6, 0.6, answer="a"),
    )
    assert "above unet" in outcome(a_table(*rows))


def test_outcome_of_seeds_that_both_rows_have() -> None:
    rows = (UNET, a_row("rmi", 0.57))
    table = a_table(*rows, missing=("rmi, seed 1", "rmi, seed 2"))
    shared = a_pairing("seeds", None, 1, difference=0.07)
    assert "0.0700 above unet" in outcome(ComparisonTable(**{**vars(table), "pairings": (shared,)}))


def test_outcome_where_less_is_better() -> None:
    assert "rmi comes first" in outcome(a_table(columns=(NLL,)))
    assert "0.06 below unet" in outcome(a_table(columns=(NLL,)))


def test_outcome_of_equal_rows_and_of_few() -> None:
    assert "a and b are equal" in outcome(a_table(a_row("a", 0.5), a_row("b", 0.5)))
    assert outcome(a_table(UNET)).startswith("unet reaches mean IoU 0.5100")
    assert outcome(a_table(a_row("a"))) == "No cell has a score."
    assert outcome(a_table(a_row("a"), missing=("a, seed 0",))).endswith("has a score yet.")


def test_notes_on_tests_say_what_few_seeds_can_find() -> None:
    said = " ".join(pair_notes(a_table(pairings=(a_pairing("seeds", 0.4),))))
    assert "3 seeds are few" in said
    assert "Holm" not in said
    assert "Wilcoxon" not in said
    assert "fewer than" not in said


def test_notes_count_the_pairs_that_were_corrected_for() -> None:
    assert "Holm's correction over the 12 pairs that could be tested" in " ".join(
        pair_notes(many_pairs())
    )


def test_notes_say_why_a_test_is_missing() -> None:
    said = " ".join(pair_notes(a_table(pairings=(a_pairing("images", None, 3),))))
    assert "fewer than 2 seeds or 6 images" in said


def test_images_may_speak_for_the_other_row() -> None:
    images = a_pairing("images", 0.001, 8, difference=-0.02)
    table = a_table(pairings=(a_pairing("seeds", 0.4), images))
    assert "image by image, unet is better than rmi (" in outcome(table)
    lower = a_table(columns=(NLL,), pairings=(a_pairing("images", 0.001, 8, column="nll"),))
    assert "image by image, unet is better than rmi (" in outcome(lower)


def test_images_of_methods_have_no_weights() -> None:
    rows = [a_row(label, 0.5, 0.6, steps=Spread((0.0, 0.0))) for label in ("unet", "rmi")]
    rows[1] = a_row("rmi", 0.6, 0.7, steps=Spread((0.0, 0.0)))
    said = outcome(a_table(*rows, pairings=(a_pairing("images", 0.3, 8),)))
    assert "With these results, image by image, no difference" in said


def many_pairs() -> ComparisonTable:
    """Eight rows, each paired with the first and with the best, which is the last."""
    rows = [a_row(f"arm-{index}", 0.5 + index / 100, 0.5 + index / 50) for index in range(8)]
    titles = [row.title for row in rows]
    pairs = [("arm-7", title) for title in titles[:7]]
    pairs += [(title, "arm-0") for title in titles[1:7]]
    pairings = tuple(
        a_pairing("seeds", None if second == "arm-3" else 0.5, first=first, second=second)
        for first, second in pairs
    )
    return a_table(*rows, pairings=pairings)


def test_text_says_which_pairs_it_shows() -> None:
    text = comparison_text(many_pairs())
    assert "7 of 13 pairs, those with the best row; all are in pairs.csv." in text
    assert "Pairs are each row with the first, and each with the best." in text
    assert "after Holm's correction: over seeds the 12 pairs that could be tested." in text
    assert text.count(" - arm-") == 7
    assert "arm-7 - arm-0" in text
    assert "pairs.csv" not in comparison_text(a_table(pairings=(a_pairing("seeds", 0.4),)))


@pytest.mark.parametrize("width", [40, 80])
def test_text_of_pairs_fits_the_width_and_breaks_no_number(width: int) -> None:
    long = "a-long-name-of-an-arm" * 2
    rows = (a_row(f"{long}-1", 0.5, 0.52, 0.51), a_row(f"{long}-2", 0.55, 0.56, 0.60))
    pairing = a_pairing("seeds", 0.4, first=f"{long}-2", second=f"{long}-1")
    text = comparison_text(a_table(*rows, pairings=(pairing,)), width=width)
    assert max(map(len, text.splitlines())) <= width
    for number in ("0.5100 ± 0.0100", "*0.5700 ± 0.0265", "1,234", "+0.0600"):
        assert number in text


def test_no_row_is_best_where_all_are_equal() -> None:
    table = a_table(a_row("a", 0.50001), a_row("b", 0.5))
    assert "*0" not in comparison_text(table)
    assert "**" not in comparison_markdown(table)
    assert table.best(IOU) == frozenset()
    assert "are equal" in outcome(table)


def test_a_table_is_short_to_look_at() -> None:
    assert repr(a_table()) == "ComparisonTable(camvid test, 2 rows, 3 seeds)"


def test_csv_has_six_digits_and_no_seconds_where_nothing_was_learned() -> None:
    row = a_row("slic", 0.1, 0.2, 0.2, seconds=Spread((0.0,) * 3), steps=Spread((0.0,) * 3))
    (found,) = csv.DictReader(io.StringIO(table_csv(a_table(row))))
    assert found["mean_iou"] == "0.166667"
    assert (found["seconds"], found["steps"]) == ("", "")
    assert found["seconds_per_image"] == "0.25"
    each = next(csv.DictReader(io.StringIO(cells_csv(a_table(row)))))
    assert (each["mean_iou"], each["seconds"], each["steps"]) == ("0.1", "", "")
