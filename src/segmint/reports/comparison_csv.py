"""The numbers of a comparison as CSV files: rows, single seeds, tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from segmint.comparisons.table import ComparisonTable, TableRow


def table_csv(table: ComparisonTable) -> str:
    """A line for each row, with means, deviations and published figures in six digits."""
    columns = ["dataset", "split", "images", "label", "answer", "seeds"]
    for column in table.columns:
        columns += [column.name, f"{column.name}_deviation"]
    columns += [f"{column.name}_published" for column in table.columns]
    columns += ["seconds", "seconds_per_image", "peak_mib", "steps", "machine"]
    return _written(columns, (_row(table, row) for row in table.rows))


def cells_csv(table: ComparisonTable) -> str:
    """A line for each row and seed, with the scores of every class."""
    scores = [column.name for column in table.columns]
    told = set(scores)
    names = dict.fromkeys(name for row in table.rows for name in row.classes)
    classes = {name: f"{table.class_score}_{name}" for name in names}
    classes = {name: key for name, key in classes.items() if key not in told}
    costs = ["seconds", "seconds_per_image", "peak_mib", "steps"]
    columns = ["label", "answer", "seed", *scores, *classes.values(), *costs]
    return _written(
        columns,
        (
            {"label": row.label, "answer": row.answer, "seed": seed}
            | {name: row.scores[name].values[place] for name in scores if name in row.scores}
            | {
                key: row.classes[name].values[place]
                for name, key in classes.items()
                if name in row.classes
            }
            | {name: getattr(row, name).values[place] or None for name in costs}
            for row in table.rows
            for place, seed in enumerate(row.seeds)
        ),
    )


def pairs_csv(table: ComparisonTable) -> str:
    """A line for each test: a pair of rows over seeds or over images."""
    columns = ["first", "second", "score", "over", "pairs", "difference", "p_value", "p_holm"]
    return _written(
        columns,
        (
            {
                "first": each.first,
                "second": each.second,
                "score": each.column,
                "over": each.over,
                "pairs": each.pairs,
                "difference": each.difference,
                "p_value": each.p_value,
                "p_holm": each.adjusted,
            }
            for each in table.pairings
        ),
    )


def _row(table: ComparisonTable, row: TableRow) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dataset": table.dataset,
        "split": table.split,
        "images": table.n_images,
        "label": row.label,
        "answer": row.answer,
        "seeds": len(row.seeds),
        "seconds": row.seconds.mean or None,
        "seconds_per_image": row.seconds_per_image.mean,
        "peak_mib": row.peak_mib.mean,
        "steps": row.steps.mean or None,
        "machine": table.machine,
    }
    for name, spread in row.scores.items():
        told |= {name: spread.mean, f"{name}_deviation": spread.deviation}
    told |= {f"{name}_published": value for name, value in row.published.items()}
    return {name: _rounded(value) for name, value in told.items()}


def _rounded(value: Any) -> Any:
    """A mean in six digits, beyond which only its own arithmetic shows."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _written(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
