"""All benchmarks that need no data: ``make bench``. With a BSDS500 folder, the quality too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLAIN = (
    "bench_help",
    "bench_metrics",
    "bench_field_scores",
    "bench_compare",
    "bench_iteration",
    "bench_segment",
    "bench_megapixels",
    "bench_mixtures",
    "bench_deepg",
    "bench_objectives",
    "bench_rmi",
    "bench_unet",
    "bench_export",
    "bench_trainer",
    "bench_loader",
)


def main(folders: list[str]) -> None:
    """Run one after the other, never two at once."""
    calls = [[str(HERE / f"{name}.py")] for name in PLAIN]
    calls += [[str(HERE / "bench_quality.py"), folder] for folder in folders]
    for call in calls:
        print(f"== {Path(call[0]).stem}", flush=True)
        subprocess.run([sys.executable, *call], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
