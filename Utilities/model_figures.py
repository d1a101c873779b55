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

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.evaluate import evaluate_engine, held_out_phantoms
from spinescrew.cohort.evaluate_plans import evaluate_landmarks, evaluate_plans
from spinescrew.evaluation.planned import planned_by_level, summarise_planned
from spinescrew.evaluation.segmentation import dice, score_segmentation
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels
from spinescrew.networks.weights import list_models, update_card
from spinescrew.phantoms.pathology import PATHOLOGIES
from spinescrew.phantoms.training_case import generator_hash
from spinescrew.planning.options import PlanningOptions
from spinescrew.progress import Progress
from spinescrew.segmentation import EngineOptions, Segmentation, get_engine
from spinescrew.segmentation.scheme import COARSE, FINE, LANDMARKS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "Utilities" / "networks_page.md"
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
    parser.add_argument("--each", type=int, default=2, help="phantoms of each pathology alone")
    parts = ("segmentation", "landmarks", "plan", "pathologies", "real", "cards")
    parser.add_argument("--only", choices=parts, nargs="*")
    arguments = parser.parse_args()
    kept = arguments.runs / "figures.json"
    figures: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    source = held_out_phantoms(arguments.runs / "held-out", arguments.count)
    measures = {
        "segmentation": lambda: segmentation(source),
        "landmarks": lambda: landmarks(source),
        "plan": lambda: plans(source),
        "pathologies": lambda: pathologies(arguments.runs / "held-out", arguments.each),
        "real": real,
    }
    for name, measure in measures.items():
        if not arguments.only or name in arguments.only:
            figures[name] = rounded(measure())
            kept.write_text(json.dumps(figures, indent=2))
    if not arguments.only or "cards" in arguments.only:
        write_cards(figures)
        page = PAGE.read_text(encoding="utf-8").format(**tables(figures), generator=generator_hash())
        (ROOT / "Docs" / "networks.md").write_text(page, encoding="utf-8")


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


def pathologies(folder: Path, each: int) -> dict[str, Any]:
    """Whole vertebrae from L1 down, of phantoms with one pathology alone, all slices."""
    found = {}
    for name in ("healthy", *PATHOLOGIES, "metal"):
        result = evaluate_engine(get_engine(ENGINE), held_out_phantoms(folder, each, name), Progress(print_step))
        chosen = [score for _, score in result.scores if not score.cut and score.level.region != "thoracic"]
        walls = [score.wall_mean_mm for score in chosen if score.wall_mean_mm is not None]
        found[name] = {
            "vertebrae": len(chosen),
            "dice": float(np.mean([score.dice for score in chosen])) if chosen else None,
            "named_right": float(np.mean([score.named_right for score in chosen])) if chosen else None,
            "wall_mean_mm": float(np.mean(walls)) if walls else None,
        }
    return found


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
    figures, starts = {}, ("geometry", "network")
    ways = [PlanningOptions(start="geometry"), PlanningOptions(start="network")]
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
        for title, options in _ways_to_name(name).items():
            found = get_engine(ENGINE, options).segment(ct, None, Progress())
            figures[title] = _real_scores(found, reference)
    return figures


def _ways_to_name(case: str) -> dict[str, EngineOptions]:
    """The crop around L3 cannot be named from the image: once it is left to guess, once it is told."""
    told = {f"{case}, told that L3 is in the middle": EngineOptions(middle=Level.L3)} if "l3" in case else {}
    return {case: EngineOptions(), **told}


def _real_scores(found: Segmentation, reference: Volume) -> dict[str, Any]:
    scores = score_segmentation(found.labels, reference)
    return {
        score.level.name: {
            "dice": score.dice,
            "dice_above": _dice_above(found.labels, reference, score.level),
            "named": score.named.name if score.named else None,
            "cut": score.cut,
            "confidence": found.confidence.get(score.level),
        }
        for score in scores
    }


def _dice_above(found: Volume, reference: Volume, level: Level) -> float | None:
    """Of a sacrum: above the lower end of the reference, which may hold its first segment only."""
    if level is not Level.S1:
        return None
    mask = reference.array == level.value
    lowest = reference.index_to_ras(np.argwhere(mask))[:, 2].min()
    index = np.argwhere(found.array == level.value)
    index = index[found.index_to_ras(index)[:, 2] >= lowest]
    part = np.zeros(found.shape, bool)
    part[tuple(index.T)] = True
    return dice(part, mask)


def write_cards(figures: dict[str, Any]) -> None:
    """Each card gets what concerns it, and what is known to go wrong."""
    known = json.loads((ROOT / "Utilities" / "model_failures.json").read_text())
    measured = ("segmentation", "pathologies", "real")
    parts = {COARSE: measured, FINE: measured, LANDMARKS: ("landmarks", "plan")}
    for entry in list_models():
        chosen = {part: figures[part] for part in parts.get(entry.name, ()) if part in figures}
        if entry.name == FINE and "ablation" in figures:
            chosen["edge attention"] = figures["ablation"]
        update_card(entry.folder, chosen, known.get(entry.name, []))


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """The figures as Markdown tables, by name."""
    segmented, landmark, plan = figures["segmentation"], figures["landmarks"], figures["plan"]
    walls = {"images": "images", "dice": "Dice", "named_right": "named right", "wall_mean_mm": "wall mm"}
    walls["wall_p95_mm"] = "wall 95 % mm"
    ends = {
        "pedicles": "pedicles",
        "mean_mm": "mean mm",
        "p95_mm": "95 % mm",
        "entry_mm": "entry mm",
        "exit_mm": "exit mm",
    }
    counts = {"screws": "screws", "unplanned": "none", "elsewhere": "astray", "led_by_network": "led by network"}
    grades = {"own_a": "GR A", "true_a": "GR A true", "own_facet_0": "facet 0", "true_facet_0": "facet 0 true"}
    means = {"pta_deg": "PTA", "psa_deg": "PSA", "entry_mm": "entry mm", "tip_mm": "tip mm", "dice": "Dice"}
    flat = {
        name: {level: {**row, **row["means"]} for level, row in rows.items()} for name, rows in plan.items() if rows
    }
    real_rows = [
        [case, level, _dice_cell(row), row["named"] or "-", "cut" if row["cut"] else "", _cell(row["confidence"])]
        for case, levels in figures["real"].items()
        for level, row in levels.items()
    ]
    return {
        "segmentation": _tables({k: v for k, v in segmented.items() if k.startswith(("slices", "cut"))}, walls),
        "pathologies": _pathologies(figures.get("pathologies", {})),
        "refused": "; ".join(f"image {n}: {text}" for n, text in segmented["refused"].items()) or "none",
        "real": _table(["case", "level", "Dice", "named", "", "confidence"], real_rows),
        "landmarks": _tables(landmark, ends),
        "plans": _tables(flat, {**counts, **means, **grades}),
        "ablation": figures.get("ablation", {}).get("text", "Not measured yet."),
    }


def _pathologies(rows: dict[str, Any]) -> str:
    columns = {"vertebrae": "vertebrae", "dice": "Dice", "named_right": "named right", "wall_mean_mm": "wall mm"}
    cells = [[name, *(_cell(row[key]) for key in columns)] for name, row in rows.items()]
    return _table(["pathology", *columns.values()], cells) if rows else "not measured yet.\n"


def _dice_cell(row: dict[str, Any]) -> str:
    above = row["dice_above"]
    return _cell(row["dice"]) + (f" ({_cell(above)} above the end of the label)" if above is not None else "")


def _tables(parts: dict[str, Any], columns: dict[str, str]) -> str:
    blocks = []
    for name, rows in parts.items():
        cells = [[level, *(_cell(row[key]) for key in columns)] for level, row in rows.items()]
        blocks.append(f"**{name}**\n\n{_table(['level', *columns.values()], cells)}")
    return "\n".join(blocks)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}".rstrip("0").rstrip(".")


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
