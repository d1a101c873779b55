"""From rows of an evaluation to the model that joins network and geometry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spinescrew.errors import InputError
from spinescrew.evaluation.feasibility import FeasibilityResult
from spinescrew.evaluation.pedicle_score import read_scores
from spinescrew.feasibility.scheme import JOIN
from spinescrew.networks.card import ModelCard


def join_c2(tables: Sequence[Path], models: Path, device: str = "cpu") -> ModelCard:
    """Fit the join of the installed ``axis-pedicle`` on tables that ``spinescrew evaluate c2 --csv`` wrote.

    The pedicles are spent by it: whoever evaluates the joint answer has to use others.

    Raises
    ------
    InputError
        If a table cannot be read, lacks the network's own probability or holds too few pedicles.
    """
    from spinescrew.feasibility.judge import load_judge
    from spinescrew.training.join import fit_join

    judged = FeasibilityResult(tuple(score for table in tables for score in read_scores(table))).judged
    figures = np.array([(score.network, score.own_width_mm, score.corridor_margin_mm) for score in judged], float)
    if not np.isfinite(figures.reshape(-1, 3)[:, 0]).any():
        raise InputError(f"no row of {', '.join(map(str, tables))} holds the network's own probability; assess again")
    truth = np.array([bool(score.feasible) for score in judged])
    return fit_join(figures, truth, load_judge(device)[1], Path(models) / JOIN)
