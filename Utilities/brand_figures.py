"""Put the measured figures of systems on the cards of their models, and draw the curves of the documentation.

First judge the held-out patients (may be done part by part, whose rows are put together)::

    spinescrew evaluate brand --count 210 --csv runs/brand.csv
    python Utilities/brand_figures.py runs/brand.csv
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.brands.models import ENSEMBLE, KINDS, MERGE, model_name
from spinescrew.cohort.evaluate_brand import usual_ensemble
from spinescrew.evaluation.brand_baseline import baseline_accuracy
from spinescrew.evaluation.brand_plots import write_brand_figure
from spinescrew.evaluation.brand_score import UNKNOWN, read_brand_scores
from spinescrew.evaluation.brands import BrandFigures
from spinescrew.networks.brand_names import OTHER
from spinescrew.networks.weights import update_card
from spinescrew.phantoms.xray.brand_case import brand_hash

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "Resources" / "Models"
PICTURE = ROOT / "Docs" / "brand-figures.png"

UNSEEN = "no real radiograph was seen, in training or in testing; design families are no maker's systems"


def main() -> None:
    """Read the rows, write cards and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path, nargs="+")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--failure", action="append", default=[], help="A known failure in words; repeat for more.")
    arguments = parser.parse_args()
    tables = [read_brand_scores(path) for path in arguments.scores]
    outputs = tables[0][1]
    brands = tuple(name for name in outputs if name != OTHER)
    figures = BrandFigures(tuple(score for scores, _ in tables for score in scores), outputs, brands)
    chosen = usual_ensemble(figures.models)
    whole = {"held out": UNSEEN, "generator": brand_hash(), "measured features alone": baseline_accuracy()}
    for kind in KINDS:
        names = [name for name in figures.models if name == kind or (kind == MERGE and name.startswith(f"{MERGE}-"))]
        own = {**whole, **{name: all_parts(figures, name) for name in names}}
        update_card(arguments.models / model_name(kind), rounded(own), (UNSEEN, *arguments.failure))
    joined = {name: all_parts(figures, name) for name in figures.models if "+" in name}
    told = rounded({**whole, "usual": chosen, **joined, "attention": triple(figures.of(figures.parts[0]).attention)})
    update_card(arguments.models / ENSEMBLE, told, (UNSEEN, *arguments.failure))
    members = [name for name in KINDS if name in figures.models]
    write_brand_figure(arguments.picture, figures.of(figures.parts[0]), [*members, chosen])
    print(json.dumps(told, indent=2))  # noqa: T201


def all_parts(figures: BrandFigures, model: str) -> dict[str, Any]:
    """What is said of one model or ensemble on each set of patients."""
    told: dict[str, Any] = {name: of_part(figures.of(name), model) for name in figures.parts if name != UNKNOWN}
    if UNKNOWN in figures.parts:
        held = figures.where(lambda score: score.part in (figures.parts[0], UNKNOWN))
        told["unknown systems"] = {
            "refused": triple(held.unknown_refused(model)),
            "false refusals": triple(held.false_refusals(model)),
            "auc": held.unknown_auc(model),
        }
    return told


def of_part(figures: BrandFigures, model: str) -> dict[str, Any]:
    """Rates, by crosslink too, and an ensemble against its best member."""
    rates = figures.rates(model)
    told: dict[str, Any] = {
        "patients": rates.count,
        "refused": len(figures.refused),
        "accuracy": triple(rates.accuracy),
        "kappa": triple(rates.kappa),
        "macro": vars(rates.macro),
        "macro_auc": triple(rates.macro_auc),
        "micro_auc": rates.micro.auc,
        "by system": {name: vars(own) for name, own in rates.by_brand.items()},
        "accuracy by crosslink": {
            word: figures.where(lambda score, linked=linked: score.crosslink == linked).rates(model).accuracy.value
            for word, linked in (("with", True), ("without", False))
        },
    }
    against = figures.against_best_member(model)
    if against is not None:
        told["better than its best member"] = {"member": against[0], "by": triple(against[1].difference)}
    return told


def triple(found: Any) -> list[float]:
    """A value and its interval."""
    return [found.value, found.low, found.high]


def rounded(value: Any) -> Any:
    """Four digits; what is not finite becomes ``None``."""
    if isinstance(value, dict):
        return {str(key): rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.4g}") if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    main()
