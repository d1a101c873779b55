"""The own engine around networks that are right by construction: geometry, names and putting together."""

from functools import cache

import numpy as np
import pytest
import torch

from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.errors import InputError
from spinescrew.evaluation.segmentation import score_segmentation
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.networks.card import ModelCard
from spinescrew.progress import Cancelled, Progress
from spinescrew.segmentation import own
from spinescrew.segmentation.box import box_around
from spinescrew.segmentation.own import OwnEngine, fine_box, name_found, whole_view
from spinescrew.segmentation.scheme import COARSE, COARSE_LEVELS, COARSE_MM, OFFSET_UNIT_MM

FIRST_HU, STEP_HU = -300.0, 90.0
"""Vertebrae of the painted CT have a HU of their own, so that a network can be written down that knows them."""


@cache
def painted():
    """(CT, labels) of a column of thick vertebrae, each in one tone, everything else at -1000 HU."""
    levels, spacing = parse_levels("T12-S1"), 1.5
    shape = (80, 80, 180)
    points = spacing * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    labels, hu = np.zeros(shape, np.int16), np.full(shape, -1000, np.int16)
    for n, level in enumerate(levels):
        centre = np.array([60.0, 62.0, 250.0 - 36.0 * n])
        inside = (((points - centre) / (28.0, 32.0, 15.0)) ** 4).sum(axis=-1) < 1
        labels[inside], hu[inside] = level.value, round(FIRST_HU + STEP_HU * COARSE_LEVELS.index(level))
    affine = np.diag([spacing, spacing, spacing, 1.0])
    return Volume(hu, affine), Volume(labels, affine)


class Tones(torch.nn.Module):
    """The coarse network: the class of the brightest tone around, where the CT is nearer to that than to air.

    Every voxel points to the middle of the voxels of its class.
    """

    def forward(self, image):
        hu = image[:, :1] * 750 + 150
        around = torch.nn.functional.max_pool3d(hu, 3, 1, 1)
        tones = FIRST_HU + STEP_HU * torch.arange(len(COARSE_LEVELS)).view(1, -1, 1, 1, 1)
        nearness = -(((around - tones) / STEP_HU) ** 2)
        air = torch.where(hu < (around - 600.0) / 2, 0.0, -9.0)
        air = torch.where(around < FIRST_HU - STEP_HU, 0.0, air)
        nearness = torch.where(air < 0, nearness, -9.0)
        classes = torch.cat([air, nearness], dim=1) * 4
        return torch.cat([classes, ways_to_the_middle(classes[0].argmax(dim=0).numpy())[None]], dim=1)


def ways_to_the_middle(classes):
    ways = np.zeros((3, *classes.shape), np.float32)
    for number in set(np.unique(classes)) - {0}:
        index = np.argwhere(classes == number)
        ways[:, classes == number] = (index.mean(axis=0) - index).T * (COARSE_MM / OFFSET_UNIT_MM)
    return torch.from_numpy(ways)


class Brightest(torch.nn.Module):
    """The fine network: where the rough mask is near and the CT is nearer to the tone under it than to air."""

    def forward(self, image):
        hu, rough = image[:, :1] * 750 + 150, image[:, 1:]
        tone = hu[rough > 0.5].median() if (rough > 0.5).any() else hu.new_tensor(-1000.0)
        near = torch.nn.functional.max_pool3d(rough, 9, 1, 4) > 0.2
        inside = hu > (tone - 600.0) / 2
        return torch.cat([torch.zeros_like(hu), torch.where(inside & near, 8.0, -8.0)], dim=1)


@pytest.fixture
def engine(monkeypatch):
    card = ModelCard(
        name="x", task="segmentation", version="1", created="2026-01-01", trained_on="tones of a painted CT"
    )
    monkeypatch.setattr(OwnEngine, "unavailable", lambda self: "")
    monkeypatch.setattr(own, "load_model", lambda name, device: (Tones() if name == COARSE else Brightest(), card))
    return OwnEngine("cpu")


def turned(volume, degrees):
    """The same voxels in a patient who lies turned."""
    affine = np.eye(4)
    affine[:3, :3] = rotation((0.3, 1.0, 0.2), degrees)
    return Volume(volume.array, affine @ volume.affine)


@pytest.mark.parametrize("degrees", [0.0, 12.0])
def test_every_vertebra_is_found_named_and_cut(engine, degrees):
    ct, labels = (turned(volume, degrees) for volume in painted())
    found = engine.segment(ct, None, Progress())
    assert found.labels.same_grid(ct)
    assert found.levels == parse_levels("T12-S1")
    for score in score_segmentation(found.labels, labels):
        assert score.named_right
        assert score.dice > 0.95, score.level
    assert min(found.confidence.values()) > 0.5
    assert "simulated images" in found.provenance
    assert {"find and name the vertebrae", "cut the vertebrae"} <= set(found.timings_s)


def test_only_what_was_asked_for_and_its_neighbours_are_cut(engine):
    found = engine.segment(painted()[0], [Level.L3], Progress())
    assert Level.L3 in found.levels and Level.L2 in found.levels
    assert Level.L5 not in found.levels and Level.T12 not in found.levels


def test_a_cancel_stops_it(engine):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        engine.segment(painted()[0], None, progress)


def test_an_image_without_vertebrae_is_refused(engine):
    ct = painted()[0]
    with pytest.raises(InputError, match="found no vertebra in this CT"):
        engine.segment(ct.with_array(np.full_like(ct.array, -1000)), None, Progress())


def test_levels_that_are_not_there_are_refused_naming_those_that_are(engine):
    with pytest.raises(InputError, match=r"found T12 \(19\), .* in this CT, not T9 \(16\)"):
        engine.segment(painted()[0], [Level.T9], Progress())


def test_without_models_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(own, "list_models", lambda: [])
    with pytest.raises(InputError, match="train it with spinescrew train segmentation"):
        OwnEngine("cpu").segment(painted()[0], None, Progress())


def outputs_of(names):
    """What a coarse network says of a column of blocks under these names, from the head down."""
    height = 10 * len(names)
    shares = np.zeros((len(COARSE_LEVELS) + 1, 16, 16, height), np.float32)
    shares[0] = 1.0
    pieces = np.zeros((16, 16, height), int)
    for n, name in enumerate(names):
        block = (slice(4, 12), slice(4, 12), slice(height - 10 * n - 8, height - 10 * n))
        shares[0][block] = 0.1
        shares[COARSE_LEVELS.index(name) + 1][block] = 0.9
        pieces[block] = n + 1
    return np.concatenate([np.log(np.maximum(shares, 1e-6)), ways_to_the_middle(pieces).numpy()])


def a_box(outputs):
    return box_around(np.zeros(3), outputs.shape[1:], COARSE_MM)


def test_names_of_the_network_are_kept_where_they_agree():
    outputs = outputs_of([Level.L1, Level.L2, Level.L3, Level.L4, Level.L5])
    assert tuple(name_found(outputs, a_box(outputs)).masks) == parse_levels("L1-L5")


def test_a_name_that_a_person_knows_settles_the_others():
    outputs = outputs_of([Level.L1, Level.L2, Level.L3])
    assert tuple(name_found(outputs, a_box(outputs)).masks) == parse_levels("L1-L3")
    found = name_found(outputs, a_box(outputs), Level.L3)
    assert tuple(found.masks) == parse_levels("L2-L4")
    assert found.confidence[Level.L3] == pytest.approx(1.0)


def test_one_wrong_name_is_outvoted_by_its_neighbours():
    outputs = outputs_of([Level.L1, Level.L2, Level.T9, Level.L4, Level.L5])
    found = name_found(outputs, a_box(outputs))
    assert tuple(found.masks) == parse_levels("L1-L5")


def test_two_vertebrae_under_one_name_are_two():
    outputs = outputs_of([Level.L1, Level.L2, Level.L2, Level.L4, Level.L5])
    assert tuple(name_found(outputs, a_box(outputs)).masks) == parse_levels("L1-L5")


def test_vertebrae_that_touch_come_apart_by_where_their_voxels_point():
    outputs = outputs_of([Level.L2, Level.L3, Level.L4])
    classes = len(COARSE_LEVELS) + 1
    gaps = outputs[0] > -1.0
    gaps[:4], gaps[12:], gaps[:, :4], gaps[:, 12:] = False, False, False, False
    outputs[0][gaps], outputs[COARSE_LEVELS.index(Level.L3) + 1][gaps] = -3.0, 0.0
    up = np.argwhere(gaps)[:, 2]
    outputs[classes + 2][gaps] = (10.0 * (up // 10) + 5.5 - up) * (COARSE_MM / OFFSET_UNIT_MM)
    found = name_found(outputs, a_box(outputs))
    assert tuple(found.masks) == parse_levels("L2-L4")
    assert all(500 < (mask.array > 0).sum() < 700 for mask in found.masks.values())


def test_crumbs_are_no_vertebrae():
    outputs = outputs_of([Level.L3, Level.L4])
    outputs[: len(COARSE_LEVELS) + 1, 0, 0, 0] = -9.0
    outputs[COARSE_LEVELS.index(Level.L1) + 1, 0, 0, 0] = 0.0
    assert tuple(name_found(outputs, a_box(outputs)).masks) == parse_levels("L3-L4")


def test_boxes_hold_what_they_are_made_for():
    ct = turned(painted()[0], 20.0)
    box = whole_view(ct)
    corners = ct.index_to_ras(np.array(np.meshgrid(*[(0, n - 1) for n in ct.shape])).reshape(3, -1).T)
    inside = box.to_index(corners)
    assert (inside >= -0.5 - 1e-6).all() and (inside <= np.array(box.shape) - 0.5 + 1e-6).all()
    mask = np.zeros((30, 30, 30), np.float32)
    mask[10:20, 12:18, 8:25] = 1.0
    volume = Volume(mask, np.diag([COARSE_MM] * 3 + [1.0]))
    cut = fine_box(volume)
    assert cut.cut(volume, 1, 0.0).sum() == pytest.approx(mask.sum() * COARSE_MM**3, rel=0.03)
