"""Models of systems made honest and joined, on patients that their training never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.crop import spread_out, windows_of
from spinescrew.brands.ensemble import features, fit, joined, subsets, temperature
from spinescrew.brands.models import (
    KINDS,
    MOST_WINDOWS,
    VIEWS,
    BrandModels,
    Crops,
    crops_of,
    inputs_for,
    logits,
    member_name,
    softmax,
    together,
)
from spinescrew.brands.unknown import score, threshold
from spinescrew.progress import Progress
from spinescrew.training.brand_cases import NONE, BrandImage, BrandPatient, BrandSource, Entry
from spinescrew.training.brand_task import jittered

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CALIBRATION = 400
"""Simulated patients for it."""

_FOLDS = 5
_LEAST_FOR_FOLDS = 40
_STREAM = 7013


def patient_crops(patient: BrandPatient, seed: int) -> dict[str, Crops]:
    """Crops of a patient of a source, by view, about as well placed as screws are found."""
    random = np.random.default_rng([seed, _STREAM])
    return {view: _crops(image, random) for view, image in patient.images.items() if len(image.necks)}


def patient_logits(nets: Mapping[str, Any], crops: Mapping[str, Crops]) -> dict[str, Floats]:
    """(outputs,) of each member, not calibrated: with all views, and of the merged model with each alone."""
    models = BrandModels(nets, {})
    found = {}
    for views in [tuple(view for view in VIEWS if view in crops), *((view,) for view in crops if len(crops) > 1)]:
        part = {view: crops[view] for view in views}
        for kind in models.kinds_for(views):
            name = member_name(kind, views)
            if name not in found:
                found[name] = together(logits(nets[kind], inputs_for(kind, part)[0]))
    return found


def calibrate_brands(
    nets: Mapping[str, Any], source: BrandSource, entries: Sequence[Entry], progress: Progress | None = None
) -> tuple[Any, dict[str, Any]]:
    """Give every model its temperature, and fit all ensembles.

    Parameters
    ----------
    nets:
        By kind; their temperatures are set.
    entries:
        Patients of the source who had no part in the training.

    Returns
    -------
    tuple
        A :class:`spinescrew.networks.brand_net.BrandEnsemble`, and accuracies of its members and subsets on these
        patients, for the card.
    """
    from spinescrew.networks.brand_net import BrandEnsemble

    progress = progress or Progress()
    first = next(iter(nets.values()))
    names = (*first.brands, NONE) if first.other else first.brands
    entries = [entry for entry in entries if entry.brand in names]
    rows: dict[str, dict[int, Floats]] = {}
    for number, entry in enumerate(entries):
        progress.update(number / max(len(entries), 1), "calibrating")
        for member, values in patient_logits(nets, patient_crops(source[entry.number], entry.number)).items():
            rows.setdefault(member, {})[number] = values
    truth = np.array([names.index(entry.brand) for entry in entries], np.int64)
    shares = _calibrated(nets, rows, truth)
    parts = _parts(tuple(kind for kind in KINDS if kind in shares), tuple(shares))
    ensemble = BrandEnsemble(first.brands, parts, first.other)
    figures = {"patients": len(entries)}
    for number, members in enumerate(parts):
        _fit_part(ensemble, number, {member: shares[member] for member in members}, truth, figures)
    return ensemble, figures


def _calibrated(
    nets: Mapping[str, Any], rows: Mapping[str, Mapping[int, Floats]], truth: Whole
) -> dict[str, dict[int, Floats]]:
    """Probabilities of each member by patient; every net gets the temperature of its main member."""
    for kind, net in nets.items():
        main = rows.get(kind) or next((own for name, own in rows.items() if name.startswith(kind)), {})
        if main:
            net.calibrate(temperature(np.array(list(main.values())), truth[list(main)]))
    return {
        member: {n: softmax(values / float(nets[member.partition("-")[0]].temperature)) for n, values in own.items()}
        for member, own in rows.items()
    }


def _parts(kinds: Sequence[str], members: Sequence[str]) -> list[tuple[str, ...]]:
    """Subsets of the models with both views, and what one view alone can be answered by."""
    found = subsets(kinds)
    for view in VIEWS:
        single = member_name("merge", (view,))
        if single in members:
            found.append((single,))
            found += [(view, single)] if view in kinds else []
    return found


def _fit_part(
    ensemble: Any, number: int, shares: Mapping[str, Mapping[int, Floats]], truth: Whole, figures: dict[str, Any]
) -> None:
    """One subset, on the patients whom all its members answer."""
    import torch

    members = tuple(shares)
    common = sorted(set.intersection(*(set(own) for own in shares.values())))
    if not common:
        return
    stacked = {member: np.array([own[n] for n in common]) for member, own in shares.items()}
    own, count = truth[common], next(iter(stacked.values())).shape[1]
    if len(members) > 1:
        weights, bias = fit(features(stacked, members), own, count)
    else:
        weights, bias = np.eye(count), np.zeros(count)
    unseen = _out_of_fold(stacked, members, own, count)
    known = len(ensemble.brands)
    least = threshold(score(unseen, known)[own < known])
    ensemble.fit(number, torch.from_numpy(weights), torch.from_numpy(bias), least)
    hits = unseen[own < known][:, :known].argmax(axis=1) == own[own < known]
    figures[" + ".join(members)] = {"accuracy": round(float(hits.mean()), 4) if len(hits) else None}


def _out_of_fold(stacked: Mapping[str, Floats], members: Sequence[str], truth: Whole, count: int) -> Floats:
    """Probabilities of patients by an ensemble that was fitted without them; of few patients, with them."""
    rows = features(stacked, members)
    if len(members) == 1:
        return softmax(rows)
    if len(truth) < _LEAST_FOR_FOLDS:
        return joined(stacked, members, *fit(rows, truth, count))
    fold = np.random.default_rng(_STREAM).permutation(len(truth)) % _FOLDS
    found = np.zeros((len(truth), count))
    for number in range(_FOLDS):
        weights, bias = fit(rows[fold != number], truth[fold != number], count)
        found[fold == number] = softmax(rows[fold == number] @ weights + bias)
    return found


def _crops(image: BrandImage, random: np.random.Generator) -> Crops:
    windows = [
        jittered(window, image.px_per_mm, random) for window in windows_of(image.necks, image.tips, image.px_per_mm)
    ]
    chosen = spread_out(windows, [1.0] * len(windows), MOST_WINDOWS)
    return crops_of(image.pixels.astype(np.float32), chosen)
