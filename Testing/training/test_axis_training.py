"""Training of the networks for C2, in tiny settings."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinescrew.errors import InputError  # noqa: E402
from spinescrew.feasibility.scheme import AXIS, OTHER  # noqa: E402
from spinescrew.phantoms.axis import generator_hash, make_axis_case  # noqa: E402
from spinescrew.training.axis_cases import AxisPhantoms, read_axis_image, write_axis_image  # noqa: E402
from spinescrew.training.axis_tasks import BoneTask, FindTask, PedicleTask, judgement_loss  # noqa: E402
from spinescrew.training.calibrate import calibrate, logistic, unseen  # noqa: E402
from spinescrew.training.options import TrainingOptions  # noqa: E402
from spinescrew.training.trainer import Trainer  # noqa: E402


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    make = partial(make_axis_case, slice_mm=1.5, border_share=0.0, crop=(70.0, 76.0, 56.0))
    return AxisPhantoms(make, tmp_path_factory.mktemp("axis"), 2, generator_hash(), first=40)


def test_an_image_is_kept_as_it_was_made(source, tmp_path):
    image = source[0]
    write_axis_image(tmp_path / "again.npz", image)
    again = read_axis_image(tmp_path / "again.npz")
    assert np.array_equal(again.ct.array, image.ct.array)
    assert again.truth["left"].feasible == image.truth["left"].feasible
    assert np.isclose(again.truth["right"].mpd_mm, image.truth["right"].mpd_mm)
    assert np.abs(again.truth["right"].depth.array - image.truth["right"].depth.array).max() < 0.02


def test_depth_is_positive_in_the_bone_and_zero_at_its_edge(source):
    image = source[0]
    depth = image.truth["right"].depth
    points = depth.index_to_ras(np.argwhere(np.ones(depth.shape, bool))[::50])
    voxels = np.round(image.ct.ras_to_index(points)).astype(int)
    held = ((voxels >= 0) & (voxels < image.ct.shape)).all(axis=1)
    inside = image.labels.array[tuple(voxels[held].T)] == 2
    values = depth.array.reshape(-1)[::50][held]
    assert (values[inside] > -1.2).all()
    assert (values[~inside] < 1.2).all()


@pytest.mark.parametrize("kind", [FindTask, BoneTask, PedicleTask])
def test_a_short_training_lowers_the_loss(source, tmp_path, kind):
    shapes = {FindTask: (32, 32, 32), BoneTask: (48, 48, 48), PedicleTask: (48, 80, 56)}
    task = kind(source, width=4, batch_size=1, shape=shapes[kind])
    trainer = Trainer(task, tmp_path, TrainingOptions(steps=16, learning_rate=1e-2, warm_up=1, device="cpu"))
    losses = []
    note = trainer._note
    trainer._note = lambda loss: (losses.append(loss), note(loss))
    trainer.run()
    assert np.mean(losses[-4:]) < 0.95 * np.mean(losses[:3])


def test_batches_depend_on_their_number_alone(source):
    task = PedicleTask(source, width=4)
    again, other = PedicleTask(source, width=4).batch(5), task.batch(6)
    assert torch.equal(task.batch(5)["image"], again["image"])
    assert not torch.equal(again["image"], other["image"])


def test_the_finder_sees_both_classes(source):
    target = FindTask(source, width=4, batch_size=4).batch(1)["target"]
    assert {OTHER, AXIS} <= set(target.unique().tolist())


def test_what_is_unknown_does_not_teach():
    judgement = torch.zeros(1, 4, requires_grad=True)
    truth = torch.tensor([[1.0, float("nan"), float("nan"), float("nan")]])
    judgement_loss(judgement, truth).backward()
    assert judgement.grad[0, 0] < 0
    assert torch.equal(judgement.grad[0, 1:], torch.zeros(3))


def test_images_without_vertebrae_cannot_teach_where_c2_is(source):
    image = source[0]
    bare = replace(image, labels=image.labels.with_array(np.zeros_like(image.labels.array)))
    for kind in (FindTask, BoneTask):
        with pytest.raises(InputError, match="vertebra"):
            kind([bare], width=4).batch(0)


def test_logistic_regression_finds_what_made_the_answers():
    random = np.random.default_rng(0)
    rows = random.normal(size=(4000, 2)) * (1.0, 5.0)
    truth = (random.uniform(size=4000) < 1 / (1 + np.exp(-(2.0 * rows[:, 0] - 1.0)))).astype(float)
    weights, bias = logistic(rows, truth)
    assert weights[0] == pytest.approx(2.0, abs=0.3)
    assert weights[1] == pytest.approx(0.0, abs=0.05)
    assert bias == pytest.approx(-1.0, abs=0.2)


def test_calibration_uses_cases_that_come_after_those_of_the_training(source):
    later = unseen(source)
    assert later.describe().endswith("seeds 42-161")


def test_calibrating_changes_the_model(source):
    torch.manual_seed(0)
    model = PedicleTask(source, width=4).build().eval()
    weights, bias = calibrate(model, source)
    assert np.isfinite(weights).all()
    assert torch.allclose(model.weights, torch.from_numpy(weights).float())
    assert float(model.bias) == pytest.approx(bias, rel=1e-5)
