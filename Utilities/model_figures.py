"""Measure the installed networks, put the figures on their cards and write Docs/networks.md.

Needs an hour on two cores. Example: SPINESCREW_REAL_CASES=/data python Utilities/model_figures.py --runs runs
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.evaluate import evaluate_engine, held_out_phantoms
from spinescrew.cohort.evaluate_plans import evaluate_landmarks, evaluate_plans
from spinescrew.evaluation.planned import planned_by_level, summarise_planned
from spinescrew.evaluation.segmentation import score_segmentation
from spinescrew.images import read_image, read_labels
from spinescrew.networks.weights import list_models, update_card
from spinescrew.planning.options import PlanningOptions
from spinescrew.progress import Progress
from spinescrew.segmentation import get_engine
from spinescrew.segmentation.scheme import COARSE, FINE, LANDMARKS

ROOT = Path(__file__).resolve().parent.parent
ENGINE = "spinescrew"
REAL = {
    "ct_lumbosacral_3mm": ("totalsegmentator.nii.gz", "totalsegmentator"),
    "ct_l3_1.5mm": ("vertebrae.nii.gz", "verse"),
}


def main() -> None:
    """Measure what is asked for; figures of earlier calls are kept in a file beside the phantoms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--only", choices=("segmentation", "landmarks", "plan", "real", "cards"), nargs="*")
    arguments = parser.parse_args()
    kept = arguments.runs / "figures.json"
    figures: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    source = held_out_phantoms(arguments.runs / "held-out", arguments.count)
    measures = {
        "segmentation": lambda: segmentation(source),
        "landmarks": lambda: landmarks(source),
        "plan": lambda: plans(source),
        "real": real,
    }
    for name, measure in measures.items():
        if not arguments.only or name in arguments.only:
            figures[name] = rounded(measure())
            kept.write_text(json.dumps(figures, indent=2))
    if not arguments.only or "cards" in arguments.only:
        write_cards(figures)


def segmentation(source: Any) -> dict[str, Any]:
    """Dice, names and walls by level; thick slices and cut vertebrae apart."""
    found = evaluate_engine(get_engine(ENGINE), source, Progress(print_step))
    tables = {}
    for name, thick, cut in (
        ("slices up to 2 mm", False, False),
        ("slices above 2 mm", True, False),
        ("cut by the edge, slices up to 2 mm", False, True),
    ):
        rows = found.levels_of(thick=thick, cut=cut)
        tables[name] = {row.level.name: {k: v for k, v in asdict(row).items() if k != "level"} for row in rows}
    refused = {str(number): text for number, text in found.failures.items()}
    return {**tables, "refused": refused, "seconds per image": float(np.mean(found.seconds))}


def landmarks(source: Any) -> dict[str, Any]:
    """Distances of entry and exit by level, on the true labels."""
    found = evaluate_landmarks(source, progress=Progress(print_step))
    return {
        name: {
            row.level.name: {k: v for k, v in asdict(row).items() if k != "level"}
            for row in found.levels_of(thick=thick)
        }
        for name, thick in (("slices up to 2 mm", False), ("slices above 2 mm", True))
    }


def plans(source: Any) -> dict[str, Any]:
    """Screws from images alone, led by the network and by geometry."""
    figures, starts = {}, ("auto", "geometry")
    ways = [PlanningOptions(start="auto"), PlanningOptions(start="geometry")]
    for start, found in zip(starts, evaluate_plans(source, ENGINE, ways, Progress(print_step)), strict=True):
        for name, thick in (("slices up to 2 mm", False), ("slices above 2 mm", True)):
            scores = found.of(thick=thick)
            levels = {level.name: asdict(row) for level, row in planned_by_level(scores).items()}
            figures[f"{name}, start {start}"] = {"all": asdict(summarise_planned(scores)), **levels}
    return figures


def real() -> dict[str, Any]:
    """Dice and names on the real cases, against labels that others made."""
    root, figures = Path(os.environ["SPINESCREW_REAL_CASES"]), {}
    for name, (labels, numbering) in REAL.items():
        ct = read_image(root / name / "ct.nii.gz")
        reference = to_verse(read_labels(root / name / labels), numbering)
        found = get_engine(ENGINE).segment(ct, None, Progress())
        scores = score_segmentation(found.labels, reference)
        figures[name] = {
            score.level.name: {
                "dice": score.dice,
                "named": score.named.name if score.named else None,
                "cut": score.cut,
                "confidence": found.confidence.get(score.level),
            }
            for score in scores
        }
    return figures


def write_cards(figures: dict[str, Any]) -> None:
    """Each card gets what concerns it, and what is known to go wrong."""
    known = json.loads((ROOT / "Utilities" / "model_failures.json").read_text())
    parts = {COARSE: ("segmentation", "real"), FINE: ("segmentation", "real"), LANDMARKS: ("landmarks", "plan")}
    for entry in list_models():
        chosen = {part: figures[part] for part in parts.get(entry.name, ()) if part in figures}
        extra = figures.get("ablation") if entry.name == FINE else None
        if extra:
            chosen["without edge attention"] = extra
        update_card(entry.folder, chosen, known.get(entry.name, []))


def rounded(value: Any) -> Any:
    """Three digits, no NaN: JSON has none."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, float):
        return round(value, 3) if np.isfinite(value) else None
    return value


def print_step(fraction: float, text: str) -> None:
    """One line per step."""
    print(f"{fraction:6.1%} {text}", end="\r")  # noqa: T201


if __name__ == "__main__":
    main()
