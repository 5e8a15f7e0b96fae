"""Write the table of figures in README.md from `results/`: python experiments/readme_table.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"


def rows(name: str) -> list[dict[str, Any]]:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]


def table() -> str:
    """The table, in Markdown."""
    (demo,), (unsplit,), (day,) = rows("demo"), rows("demo_unsplit"), rows("day")
    chunk = {row["chunk_s"]: row for row in rows("events")}
    seen = {row["method"]: row for row in rows("perception")}
    imports = {row["method"]: row for row in rows("imports")}
    simulated = f"{demo['visits']} simulated visits, {demo['receipts']} receipts ¹"
    measured = [(f"AutoCheckout {r['recording']}, real: F1", f"{r['f1']:.3f}") for r in rows("nanostore")]
    measured += [
        (f"{simulated}: mean F1", f"{demo['mean_f1']:.3f}"),
        ("… receipts exactly right", f"{demo['exact']:.0%} ({unsplit['exact']:.0%} without parting events)"),
        ("… mean of the probability given for that", f"{demo['probability']:.0%}"),
        ("… receipts that a person should look at", f"{demo['needs_review']:.0%}"),
        ("… exactly right among the others", f"{demo['exact_unreviewed']:.0%} ({unsplit['exact_unreviewed']:.0%})"),
        (
            "`import gocv` / `gocv.pipeline`, no torch",
            _seconds(imports["gocv"]) + " / " + _seconds(imports["gocv.pipeline"]),
        ),
        (
            "Scale samples through the event detector, one thread, a minute / a second at a time",
            " / ".join(f"{chunk[s]['plate_samples_per_s'] / 1e6:.0f}" for s in (60.0, 1.0)) + " M plate-samples/s",
        ),
        (
            f"Four 640×360 clips, decode → detect → track: {_title('onnxruntime')} / {_title('openvino')}",
            f"{seen['onnxruntime']['frames_per_s']:.0f} / {seen['openvino']['frames_per_s']:.0f} frames/s",
        ),
        *((f"… {_title(name)}, a frame: decode, detect, track", _steps(row)) for name, row in seen.items()),
        (
            f"A made-up day: {day['hours']:.0f} h, {day['plates']} plates at 60 Hz, {day['cameras']} cameras' "
            f"detections at {day['frames'] / day['cameras'] / day['hours'] / 3600:.0f} Hz",
            f"{day['peak_memory_mb']:.0f} MB at most, {day['wall_s'] / 60:.0f} min",
        ),
    ]
    lines = ["| measured | |", "| --- | ---: |", *(f"| {what} | {figure} |" for what, figure in measured)]
    return "\n".join(lines) + "\n"


def _seconds(row: dict[str, Any]) -> str:
    return f"{row['import_s']:.3f} s"


def _title(runtime: str) -> str:
    return {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}[runtime]


def _steps(row: dict[str, Any]) -> str:
    return ", ".join(f"{row[f'{step}_ms']:.1f}" for step in ("decode", "detect", "track")) + " ms"


def readme() -> str:
    """README.md with the table as the results have it."""
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
