"""Peaks of a heat map, finer than its pixels; two that run into one are told apart where the blob shows it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.optimize import least_squares

from spinescrew.radiographs.screw_maps import SIGMA_PX

Floats = NDArray[np.float64]

LEAST_HEAT = 0.12
"""A peak is counted from this heat on: 1 where a network is sure, far less where a head hides the point."""

MOST = 60
"""Peaks at most, the strongest: twice as many as screws ever are. Maps of something else must not take for ever."""

_APART_PX = 2
_WINDOW_PX = 8
_SPLIT_HEAT = 0.4
_LONG = 1.3
"""From this ratio of the axes of its spread on a blob may be two peaks; one alone is round to 10 % or so."""

_BETTER = 0.4
"""Two peaks are believed when they leave at most this share of what one leaves unexplained."""

_TWO_APART_PX = (2.5, 12.0)


class Peaks(NamedTuple):
    """``points`` (n, 2) as (column, row), and their ``heat`` (n,)."""

    points: Floats
    heat: Floats

    def without(self, numbers: NDArray[np.intp]) -> Peaks:
        """Those that are none of these (-1 is none)."""
        kept = ~np.isin(np.arange(len(self.points)), numbers)
        return Peaks(self.points[kept], self.heat[kept])


def heat_peaks(heat: NDArray[np.float32], least: float = LEAST_HEAT) -> Peaks:
    """Where a heat map (rows, columns) has its peaks, strongest first."""
    smooth = gaussian_filter(np.asarray(heat, dtype=np.float64), 1.0)
    # the same width again makes a Gaussian of SIGMA_PX lower by this
    smooth *= 1 + 1 / SIGMA_PX**2
    top = (smooth == maximum_filter(smooth, 2 * _APART_PX + 1)) & (smooth >= least)
    places = np.argwhere(top)
    order = np.argsort(-smooth[tuple(places.T)], kind="stable")
    points: list[Floats] = []
    values: list[float] = []
    for row, column in places[order][:MOST]:
        away = np.abs(places - (row, column)).max(axis=1)
        alone = smooth[row, column] > _SPLIT_HEAT and (away <= 2 * _WINDOW_PX).sum() == 1
        found = _split(smooth, row, column) if alone else _refined(smooth, row, column)
        for point in found:
            if not points or np.hypot(*(np.array(points) - point).T).min() > 1.0:
                points.append(point)
                values.append(float(smooth[row, column]))
    return Peaks(np.array(points).reshape(-1, 2), np.minimum(np.array(values), 1.0))


def _refined(smooth: Floats, row: int, column: int) -> list[Floats]:
    """The top of the parabolas through the logarithms around a pixel."""
    shift = np.zeros(2)
    for axis in (0, 1):
        step = np.array([1 - axis, axis])
        around = [(row - step[1], column - step[0]), (row, column), (row + step[1], column + step[0])]
        if all(0 <= r < smooth.shape[0] and 0 <= c < smooth.shape[1] for r, c in around):
            low, mid, high = (np.log(max(smooth[r, c], 1e-6)) for r, c in around)
            bend = low - 2 * mid + high
            shift[axis] = np.clip(0.5 * (low - high) / bend, -0.6, 0.6) if bend < 0 else 0.0
    return [np.array([column, row]) + shift]


def _split(smooth: Floats, row: int, column: int) -> list[Floats]:
    """One peak, or the two that make up a blob longer than wide."""
    single = _refined(smooth, row, column)
    height = smooth[row, column]
    low = np.maximum([row - _WINDOW_PX, column - _WINDOW_PX], 0)
    window = smooth[low[0] : row + _WINDOW_PX + 1, low[1] : column + _WINDOW_PX + 1]
    rows, columns = np.indices(window.shape) + low[:, None, None]
    place = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
    weight = np.clip(window.ravel() - 0.15 * height, 0.0, None)
    centre = np.average(place, axis=0, weights=weight)
    spread, axes = np.linalg.eigh(np.cov(place.T, aweights=weight, ddof=0))
    if spread[1] < _LONG * spread[0]:
        return single
    half = np.sqrt(max(spread[1] - spread[0], 1.0)) * axes[:, 1]
    narrow = np.sqrt(SIGMA_PX**2 + 1.0)

    def missed(guess: Floats) -> Floats:
        """By peaks at guess[2:], all as high and as wide."""
        bumps = [_bump(place, centre, guess[1]) for centre in guess[2:].reshape(-1, 2)]
        return np.asarray(guess[0] * np.max(bumps, axis=0) - window.ravel())

    alone = least_squares(missed, [height, narrow, *centre])
    both = least_squares(missed, [height, narrow, *(centre + half), *(centre - half)])
    one, two = both.x[2:4], both.x[4:6]
    if both.cost > _BETTER * alone.cost or not _TWO_APART_PX[0] <= np.hypot(*(one - two)) <= _TWO_APART_PX[1]:
        return single
    return [one, two]


def _bump(place: Floats, centre: Floats, width: float) -> Floats:
    return np.asarray(np.exp(-((place - centre) ** 2).sum(axis=-1) / (2 * width**2)))
