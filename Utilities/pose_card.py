"""Put the measured figures of screws found in radiographs on the card of their network.

First evaluate held-out pairs::

    spinescrew evaluate pose --count 60 --csv runs/pose.csv
    python Utilities/pose_card.py runs/pose.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.evaluation.pose import PoseFigures
from spinescrew.evaluation.pose_score import read_pose_scores
from spinescrew.networks.weights import update_card
from spinescrew.radiographs.find import MODEL

MODELS = Path(__file__).resolve().parent.parent / "Resources" / "Models"
FAILURES = (
    "no radiograph of a patient was seen, in training or in testing",
    "straight from behind, heads hide most of the shafts: necks and tips there are weak, and a screw in twenty is "
    "missed or taken for its neighbour",
    "trained for three and a half hours on one CPU core: more training is the first thing that would make it better",
)
_ERRORS = ("angle_deg", "mid_mm", "neck_mm", "tip_mm")
_PIXELS = ("shaft_dice", "shaft_precision", "shaft_recall", "head_dice")


def main() -> None:
    """Read the rows and write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    figures = PoseFigures(*read_pose_scores(parser.parse_args().scores))
    told = {style: figures_of(own) for style, own in figures.by_style().items()}
    update_card(MODELS / MODEL, {"held-out simulated pairs": told}, FAILURES)
    print(told)  # noqa: T201


def figures_of(figures: PoseFigures) -> dict[str, Any]:
    """Pixels, and poses by error of the calibration."""
    pixels = {name: _rounded(figures.pixel_mean(name).value) for name in _PIXELS}
    poses = {}
    for error, part in figures.by_error().items():
        poses[f"calibration wrong by {error[0]:g} degrees, {error[1]:g} mm"] = {
            "screws": len(part.true),
            "missed": part.missed,
            "extra": part.extra,
            "matched right": _rounded(part.matched.value),
            **{name: _rounded(part.mean(name).value) for name in _ERRORS},
        }
    return {"pairs": figures.pairs, "pixels": pixels, "poses": poses}


def _rounded(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


if __name__ == "__main__":
    main()
