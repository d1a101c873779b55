"""Training of the network that finds screws in radiographs, in tiny settings."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from spinescrew.errors import InputError  # noqa: E402
from spinescrew.networks.screw_net import ScrewNet  # noqa: E402
from spinescrew.phantoms.xray import make_patient  # noqa: E402
from spinescrew.training.command import train  # noqa: E402
from spinescrew.training.options import TrainingOptions  # noqa: E402
from spinescrew.training.trainer import Trainer  # noqa: E402
from spinescrew.training.xray_cases import KINDS, LabelledXray, XrayPhantoms  # noqa: E402
from spinescrew.training.xray_folder import LIST, FolderXraySource  # noqa: E402
from spinescrew.training.xray_task import ScrewTask, cut, targets  # noqa: E402


class SmallTask(ScrewTask):
    """A narrow network."""

    def build(self):
        return ScrewNet((4, 8, 8, 8, 8, 4))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    made = XrayPhantoms(partial(make_patient, spacing_mm=6.0), tmp_path_factory.mktemp("xray"), 1, 700_000)
    assert len(made) == len(KINDS)
    return made


def test_a_batch_depends_on_its_number_alone(source):
    task = ScrewTask(source, batch_size=1, shape=(96, 96))
    first, again, other = task.batch(3), task.batch(3), task.batch(4)
    assert all(torch.equal(torch.nan_to_num(first[key]), torch.nan_to_num(again[key])) for key in first)
    assert not torch.equal(first["image"], other["image"])


def test_classes_and_points_stay_with_the_pixels_when_a_part_is_turned():
    classes = np.zeros((80, 100), np.uint8)
    classes[37:44, 17:64] = 1
    shown = LabelledXray(classes.astype(np.float32), classes, np.array([[20.0, 40.0]]), np.array([[60.0, 40.0]]))
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    part = cut(shown, np.array([40.0, 40.0]), quarter, (64, 64))
    assert (part["classes"][part["image"][0] > 0.75] == 1).all()
    assert (part["classes"][part["image"][0] < 0.25] == 0).all()
    for kind in (0, 1):
        row, column = np.unravel_index(part["heat"][kind].argmax(), (64, 64))
        assert part["classes"][row, column] == 1
        way = part["offsets"][2 * kind : 2 * kind + 2, row, column]
        assert np.linalg.norm(way) == pytest.approx(40.0, abs=1.0)


def test_ends_that_are_not_shown_have_no_heat_and_no_way():
    heat, offsets = targets(
        np.array([[10.0, 10.0], [np.nan, np.nan]]), np.array([[np.nan, np.nan], [20.0, 20.0]]), (32, 32)
    )
    assert heat[0, 10, 10] == 1.0
    assert heat[1, 20, 20] == 1.0
    assert np.isnan(offsets[:, 10, 10]).all()


class OneBatch(SmallTask):
    """Shows the same images at every step."""

    def batch(self, step):
        return super().batch(0)


def test_a_short_training_lowers_the_loss(source, tmp_path):
    task = OneBatch(source, batch_size=1, shape=(96, 96))
    trainer = Trainer(task, tmp_path, TrainingOptions(steps=40, learning_rate=2e-2, warm_up=1, device="cpu"))
    losses = []
    note = trainer._note
    trainer._note = lambda loss: (losses.append(loss), note(loss))
    trainer.run()
    assert losses[-1] < 0.8 * losses[0], losses


@pytest.fixture
def folder(tmp_path):
    classes = np.zeros((96, 96), np.uint8)
    classes[30:60, 40:46] = 1
    classes[20:30, 36:50] = 2
    Image.fromarray((60 + 80 * classes).astype(np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(classes).save(tmp_path / "a-classes.png")
    (tmp_path / "a.csv").write_text("neck_column,neck_row,tip_column,tip_row\n43,30,43,60\n")
    (tmp_path / LIST).write_text("image,classes,points\na.png,a-classes.png,a.csv\n")
    return tmp_path


def test_radiographs_of_a_folder_train_the_same_network(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(ScrewTask, "build", SmallTask.build)
    out = tmp_path / "out"
    options = TrainingOptions(steps=2, device="cpu")
    (card,) = train("xray", out / "runs", out / "models", options, data=str(folder))
    assert card.trained_on.startswith("1 radiographs of a user's folder")
    assert card.generator_hash == ""
    assert (out / "models" / card.name / "weights.safetensors").is_file()


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (LIST, "image,classes,points\nb.png,a-classes.png,a.csv\n", "line 2: image 'b.png' is no file"),
        (LIST, "image,classes,points\n", "lists no radiograph"),
        ("a.csv", "neck_column\nx\n", "a.csv: every row needs numbers"),
        ("a-classes.png", "", "no readable image of classes"),
    ],
)
def test_a_mistake_in_a_folder_is_named(folder, file, content, told):
    (folder / file).write_text(content)
    with pytest.raises(InputError, match=told):
        FolderXraySource(folder)[0]


def test_classes_of_another_size_are_refused(folder):
    Image.fromarray(np.zeros((90, 96), np.uint8)).save(folder / "a-classes.png")
    with pytest.raises(InputError, match="both must be of one size"):
        FolderXraySource(folder)[0]
