"""Fit what joins the network's probability of a C2 pedicle with its measures, and write it as a model."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinescrew import __version__
from spinescrew.errors import InputError
from spinescrew.feasibility.joint import network_logit
from spinescrew.feasibility.scheme import JOIN
from spinescrew.networks.card import ModelCard
from spinescrew.training.calibrate import logistic

FEWEST = 40
"""Pedicles of either kind, below which nothing is fitted."""

PURPOSE = "joins the probability of axis-pedicle with minimum diameter and corridor of the same C2 pedicle"


def fit_join(
    figures: NDArray[np.float64], feasible: NDArray[np.bool_], network: ModelCard, folder: str | Path
) -> ModelCard:
    """Fit on pedicles whose truth is known and write the model and its card into ``folder``.

    Parameters
    ----------
    figures:
        (n, 3): the network's own probability, minimum diameter and wall along the corridor, mm, as an assessment gives
        them. Rows that are not finite are left out.
    feasible:
        (n,) the truth.
    network:
        Card of the network whose probability it is; its data's provenance goes on.

    Raises
    ------
    InputError
        If fewer than 40 pedicles of either kind are left, or the folder cannot be written to.
    """
    import torch

    from spinescrew.networks.pedicle_join import PedicleJoin
    from spinescrew.networks.weights import save_model

    known = np.isfinite(figures).all(axis=1)
    figures, truth = figures[known].copy(), np.asarray(feasible, float)[known]
    count = int(truth.sum())
    if min(count, len(truth) - count) < FEWEST:
        raise InputError(
            f"{count} feasible and {len(truth) - count} other measured pedicles are too few for a joint answer; "
            f"give rows of at least {FEWEST} of each"
        )
    figures[:, 0] = [network_logit(probability) for probability in figures[:, 0]]
    model = PedicleJoin(network=network.sha256)
    weights, bias = logistic(model.columns(torch.from_numpy(figures)).numpy(), truth, rising=True)
    model.calibrate(torch.from_numpy(weights).float(), bias)
    card = ModelCard(
        name=JOIN,
        task=PURPOSE,
        version=__version__,
        created=datetime.date.today().isoformat(),
        trained_on=f"{len(truth)} C2 pedicles that the network never saw, {count} of them feasible",
        generator_hash=network.generator_hash,
        provenance=network.provenance,
    )
    return save_model(folder, model, card)
