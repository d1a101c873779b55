"""Put the measured figures of C2 on the cards of its networks, and draw the curves of the documentation.

First assess the held-out phantoms (hours on two cores; may be done in shards whose rows are put together)::

    spinescrew evaluate c2 --count 205 --slice-mm 1 --slice-mm 2 --slice-mm 3 --csv runs/c2.csv
    python Utilities/c2_figures.py runs/c2.csv --runs runs
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.anatomy.frame import SIDES
from spinescrew.cohort.evaluate_c2 import held_out_axes
from spinescrew.evaluation.attention_effect import attention_effect
from spinescrew.evaluation.feasibility import CUT_OFF_MM, FeasibilityResult, corridor_rule, network_rule, width_rule
from spinescrew.evaluation.feasibility_plots import band_name, write_figure
from spinescrew.evaluation.pedicle_score import read_scores
from spinescrew.feasibility.assessment import WALL_MM
from spinescrew.feasibility.judge import load_judge
from spinescrew.feasibility.scheme import FARTHEST_MM
from spinescrew.feasibility.scheme import MODELS as NAMES
from spinescrew.networks.weights import update_card
from spinescrew.phantoms.axis import generator_hash

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "Resources" / "Models"
PICTURE = ROOT / "Docs" / "c2-figures.png"
SEED = 65

UNSEEN = "no real neck CT was seen, in training or in testing"
RULES = {
    f"measured width above {CUT_OFF_MM} mm": width_rule(),
    "corridor keeps 0.5 mm": corridor_rule(),
    f"corridor keeps {WALL_MM} mm": corridor_rule(WALL_MM),
    "network alone": network_rule(),
}


def main() -> None:
    """Read the rows, measure what attention is worth, write cards and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path, nargs="+")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--attention", type=int, default=60, help="Held-out images whose attention is hidden.")
    parser.add_argument("--failure", action="append", default=[], help="A known failure in words; repeat for more.")
    arguments = parser.parse_args()
    result = FeasibilityResult(tuple(score for path in arguments.scores for score in read_scores(path)))
    slices = {f"{step} mm slices": part for step, part in result.by_slice().items()}
    figures: dict[str, Any] = {name: figures_of(part) for name, part in slices.items()}
    if arguments.attention:
        figures["attention"] = attention(arguments.runs / "axis-held-out", arguments.attention)
    figures = {"held out": UNSEEN, "generator": generator_hash(), **rounded(figures)}
    for name in NAMES:
        update_card(MODELS / name, figures, (UNSEEN, *arguments.failure))
    write_figure(PICTURE, next(iter(slices.values())))
    print(json.dumps(figures, indent=2))  # noqa: T201


def figures_of(result: FeasibilityResult) -> dict[str, Any]:
    """Everything that is said of one set of pedicles."""
    return {
        "pedicles": len(result.judged),
        "refused": len(result.refused),
        "near the cut-off": {"pedicles": len(result.border().judged), **answers(result.border())},
        **answers(result),
        "dice": result.mean_dice,
        "wall_mm": result.mean_wall_mm,
        "confidence": asdict(next(iter(result.confidence_by_slice().values()))),
        "rules": {name: against(result, rule) for name, rule in RULES.items()},
        "by width mm": {
            band_name(*band): {
                "pedicles": len(part.judged),
                "feasible": int(part.truth.sum()),
                "accuracy": part.rates().accuracy.value,
            }
            for band, part in result.by_width().items()
        },
    }


def answers(result: FeasibilityResult) -> dict[str, Any]:
    """Rates with their intervals, AUC, calibration."""
    rates = result.rates()
    names = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
    shares = {name: [getattr(rates, name).value, getattr(rates, name).low, getattr(rates, name).high] for name in names}
    auc = [result.auc.value, result.auc.low, result.auc.high]
    return {**shares, "auc": auc, "brier": result.brier, "ece": result.ece}


def against(result: FeasibilityResult, rule: Any) -> dict[str, Any]:
    """A rule of geometry on the same pedicles."""
    if all(rule(score) is None for score in result.judged):
        return {}
    test = result.against(rule)
    difference = [test.difference.value, test.difference.low, test.difference.high]
    return {
        "its accuracy": result.rates_of(rule).accuracy.value,
        "answer better by": difference,
        "only answer right": test.only_first,
        "only rule right": test.only_second,
        "p": test.p,
    }


def attention(folder: Path, count: int) -> dict[str, Any]:
    """Change of the probability when the attended tenth is hidden, and when as much bone elsewhere is."""
    source, (model, _) = held_out_axes(folder, count, 1.0), load_judge("cpu")
    effects = []
    for number in range(count):
        image, random = source[number], np.random.default_rng((SEED, number))
        for side in SIDES:
            pose = image.poses[side]
            depth = pose.box().cut(image.truth[side].depth, 1, FARTHEST_MM)
            effects.append(attention_effect(model, image.ct, pose, depth, random))
    attended, elsewhere = (float(np.mean([getattr(e, name) for e in effects])) for name in ("attended", "elsewhere"))
    return {"pedicles": len(effects), "attended": attended, "elsewhere": elsewhere, "ratio": attended / elsewhere}


def rounded(value: Any) -> Any:
    """Four decimals; what is not finite becomes ``None``."""
    if isinstance(value, dict):
        return {str(key): rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.4g}") if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    main()
