"""A judgement of C2 pedicles made honest: a logistic regression on cases that the training never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from spinescrew.anatomy.frame import SIDES
from spinescrew.feasibility.judge import answers_of
from spinescrew.geometry.vectors import rotation
from spinescrew.progress import Progress
from spinescrew.training.axis_cases import AxisPhantoms, AxisSource

CASES = 120
_OFF_MM, _OFF_DEG = 0.6, 2.0
_RIDGE = 0.002
_SEED = 64


def unseen(source: AxisSource) -> AxisSource:
    """Cases for the calibration: of phantoms those after the last of the training, of a folder the folder itself."""
    return source.after(CASES) if isinstance(source, AxisPhantoms) else source


def calibrate(model: Any, source: AxisSource, progress: Progress | None = None) -> tuple[NDArray[np.float64], float]:
    """Fit what turns a judgement into a probability, and give it to the model.

    The boxes are a little off, as those are that the network itself has found.

    Returns
    -------
    tuple[NDArray[np.float64], float]
        Weights (4,) of the judgement, and bias.
    """
    import torch

    progress = progress or Progress()
    rows, truth = [], []
    for number in range(len(source)):
        progress.update(number / len(source), "calibrating")
        image = source[number]
        random = np.random.default_rng((_SEED, number))
        for side in SIDES:
            turn = rotation(random.normal(size=3), _OFF_DEG * float(random.normal()))
            pose = image.poses[side].moved(turn, _OFF_MM * random.normal(size=3))
            rows.append(answers_of(model, image.ct, pose).mean(axis=0))
            truth.append(float(image.truth[side].feasible))
    weights, bias = logistic(np.array(rows), np.array(truth))
    model.calibrate(torch.from_numpy(weights).float(), bias)
    return weights, bias


def logistic(
    rows: NDArray[np.float64], truth: NDArray[np.float64], *, rising: bool = False
) -> tuple[NDArray[np.float64], float]:
    """Weights (n,) and bias of a logistic regression with a small ridge on the standardised columns.

    Parameters
    ----------
    rising:
        No weight may be negative.
    """
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    columns = (rows - mean) / scale

    def loss(values: NDArray[np.float64]) -> float:
        logits = columns @ values[:-1] + values[-1]
        return float(np.mean(np.logaddexp(0.0, logits) - truth * logits) + 0.5 * _RIDGE * values[:-1] @ values[:-1])

    start = np.zeros(rows.shape[1] + 1)
    if rising:
        limits = [(0.0, None)] * rows.shape[1] + [(None, None)]
        found = minimize(loss, start, method="L-BFGS-B", bounds=limits, options={"ftol": 1e-13, "gtol": 1e-8}).x
    else:
        found = minimize(loss, start, method="BFGS").x
    weights = found[:-1] / scale
    return weights, float(found[-1] - mean @ weights)
