"""What the networks are shown: the right labels in the right places, and a loss that falls."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms import make_spine_phantom, reference_screws
from spinescrew.segmentation.scheme import COARSE_LEVELS, COARSE_MM, LANDMARK_MM, OFFSET_UNIT_MM, POINTS, coarse_classes
from spinescrew.training.cases import LabelledImage
from spinescrew.training.landmark_task import LandmarkTask
from spinescrew.training.options import TrainingOptions
from spinescrew.training.sampling import Augmentation
from spinescrew.training.segmentation_tasks import CoarseTask, FineTask, coarse_loss, damaged
from spinescrew.training.trainer import Trainer

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)


@cache
def phantom():
    made = make_spine_phantom(5, spacing=(2.0, 2.0, 2.0))
    ends = {key: (screw.entry, screw.tip) for key, screw in reference_screws(made).items()}
    return LabelledImage(made.ct, made.labels, ends)


class Single:
    """A source of one image."""

    def __init__(self, image=None):
        self.image = image or phantom()

    def __len__(self):
        return 1

    def __getitem__(self, number):
        return self.image

    def describe(self):
        return "one phantom"

    generator = "none"


SMALL = {"width": 4, "shape": (32, 32, 32)}


@pytest.mark.parametrize("task", [CoarseTask, FineTask, LandmarkTask])
def test_a_batch_depends_on_its_number_alone(task):
    made = task(Single(), **SMALL)
    first, again, other = made.batch(3), task(Single(), **SMALL).batch(3), made.batch(4)
    for key in first:
        assert torch.equal(first[key].nan_to_num(-1), again[key].nan_to_num(-1))
    assert not torch.equal(first["image"], other["image"])


def test_the_coarse_network_sees_every_level_under_its_own_number():
    classes = coarse_classes(np.array([0, 15, 19, 24, 25, 26, 28, 3], float))
    names = [COARSE_LEVELS[number - 1].name if number else "" for number in classes]
    assert names == ["", "T8", "T12", "L5", "L6", "S1", "T12", ""]
    batch = CoarseTask(Single(), width=4, how=STILL).batch(0)
    counts = torch.bincount(batch["target"][:, 0].flatten().long())
    for level in (Level.L2, Level.L4, Level.S1):
        wanted = int((phantom().labels.array == level.value).sum()) * (2.0 / COARSE_MM) ** 3
        assert counts[COARSE_LEVELS.index(level) + 1] == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("step", range(4))
def test_every_voxel_of_a_vertebra_points_to_its_middle_also_in_the_mirror(step):
    target = CoarseTask(Single(), width=4, how=STILL).batch(step)["target"][0].numpy()
    for number in range(1, len(COARSE_LEVELS)):
        its = target[0] == number
        if its.sum() > 200:
            places = np.argwhere(its) + target[1:, its].T * (OFFSET_UNIT_MM / COARSE_MM)
            assert np.ptp(places, axis=0).max() < 0.01
            assert np.abs(places.mean(axis=0) - np.argwhere(its).mean(axis=0)).max() < 1.5
    assert not target[1:, (target[0] == 0) | (target[0] == len(COARSE_LEVELS))].any()


def test_the_loss_of_the_coarse_network_knows_each_mistake():
    batch = CoarseTask(Single(), width=4, how=STILL, shape=(48, 48, 80)).batch(0)
    target = batch["target"]
    classes = torch.nn.functional.one_hot(target[:, 0].long(), len(COARSE_LEVELS) + 1).movedim(-1, 1)
    right = torch.cat([12.0 * classes, target[:, 1:]], dim=1)
    best = float(coarse_loss(right, target))
    assert best < 0.05
    named = classes.roll(1, dims=1) * (target[:, :1] > 0) + classes * (target[:, :1] == 0)
    for wrong in (
        torch.cat([12.0 * named, target[:, 1:]], dim=1),
        torch.cat([12.0 * classes.roll(1, dims=2), target[:, 1:]], dim=1),
        torch.cat([12.0 * classes, target[:, 1:] + 0.3], dim=1),
    ):
        assert float(coarse_loss(wrong, target)) > best + 0.2


def test_image_and_target_of_the_fine_network_lie_on_each_other():
    """Bone of the target is brighter than what surrounds it, and the rough mask covers most of it."""
    task = FineTask(Single(), width=4, shape=(64, 64, 64), how=Augmentation(narrow=0.0))
    covered = []
    for step in range(6):
        batch = task.batch(step)
        image, target = batch["image"][0], batch["target"][0, 0].bool()
        assert image.shape == (2, 64, 64, 64) and target.any()
        assert image[0][target].mean() > image[0][~target].mean() + 0.05
        covered.append(float(image[1][target].mean()))
        assert covered[-1] > 4 * image[1][~target].mean()
    assert np.mean(covered) > 0.5


def test_a_damaged_mask_is_rough_but_recognisable():
    mask = np.zeros((64, 64, 64), np.float32)
    mask[16:48, 16:48, 16:48] = 1
    overlaps = []
    for seed in range(20):
        rough = damaged(mask, np.random.default_rng(seed)) > 0.5
        overlaps.append(2 * (rough & (mask > 0)).sum() / (rough.sum() + mask.sum()))
    assert min(overlaps) > 0.5
    assert np.mean(overlaps) < 0.95


def test_landmarks_are_where_the_screw_is():
    image = phantom()
    task = LandmarkTask(Single(), width=4, how=STILL)
    seen = set()
    for step in range(6):
        batch = task.batch(step)
        points = batch["points"][0].numpy()
        lengths = {np.linalg.norm(pair[1] - pair[0]) for pair in image.landmarks.values()}
        for first, second in ((0, 1), (2, 3)):
            length = LANDMARK_MM * np.linalg.norm(points[second] - points[first])
            assert min(abs(length - wanted) for wanted in lengths) < 0.01
        left, right = (POINTS.index((side, "entry")) for side in ("left", "right"))
        assert points[left, 0] < points[right, 0], "the box runs from the patient's left to the right"
        seen.add(round(float(points[left, 0]), 2))
    assert len(seen) > 1


def test_points_that_are_not_known_do_not_count():
    image = phantom()
    one = {key: pair for key, pair in image.landmarks.items() if key == (Level.L3, "left")}
    task = LandmarkTask(Single(replace(image, landmarks=one)), **SMALL)
    batch = task.batch(0)
    assert torch.isfinite(batch["points"]).all(dim=-1).sum() <= 2
    model = task.build()
    heat = [h.detach() for h in model(batch["image"])]
    known = torch.isfinite(batch["points"]).all(dim=-1)[0]

    def loss(change):
        changed = [h.clone() for h in heat]
        for h in changed:
            h[0, change, 0, 0, 0] += 25.0
        return float(task.loss(lambda _: changed, batch))

    base = float(task.loss(lambda _: heat, batch))
    assert loss(~known) == pytest.approx(base)
    if known.any():
        assert loss(known) > base


def test_images_with_one_strange_label_do_not_stop_a_training():
    array = np.zeros((40, 40, 40), np.int16)
    array[10:20, 10:20, 10:20] = 5
    image = LabelledImage(Volume(array, np.eye(4)), Volume(array, np.eye(4)), {})
    assert (CoarseTask(Single(image), **SMALL).batch(0)["target"] == 0).all()


@pytest.mark.parametrize(("task", "share"), [(CoarseTask, 0.85), (FineTask, 0.85), (LandmarkTask, 0.92)])
def test_a_short_training_lowers_the_loss(task, share, tmp_path):
    torch.set_num_threads(1)
    options = TrainingOptions(steps=60, device="cpu", learning_rate=3e-3, warm_up=5)
    state = Trainer(task(Single(), width=4, shape=(32, 32, 32), how=STILL), tmp_path, options).run()
    losses = [loss for _, loss in state.history]
    assert losses[-1] < share * losses[0]
