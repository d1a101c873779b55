"""The picture and the table of a training run's loss."""

import numpy as np
import pytest
from PIL import Image

from spinescrew.errors import InputError
from spinescrew.training.curves import PICTURE, TABLE, moving_mean, write_curves


def falling(count):
    random = np.random.default_rng(0)
    return [(20 * n, float(1.5 * n**-0.4 + 0.1 * random.uniform())) for n in range(1, count + 1)]


def pixels(folder):
    return np.asarray(Image.open(folder / PICTURE).convert("RGB"), int)


def test_the_table_holds_every_point(tmp_path):
    history = falling(60)
    write_curves(tmp_path, "edges", history, 90.0)
    assert (tmp_path / TABLE).read_text().startswith("step,loss\n20,")
    read = np.loadtxt(tmp_path / TABLE, delimiter=",", skiprows=1)
    assert read == pytest.approx(np.array(history), rel=1e-5)


@pytest.mark.parametrize("history", [falling(1), falling(30), falling(500), [(20, 0.0), (40, -1.0)]])
def test_the_picture_shows_a_curve(tmp_path, history):
    write_curves(tmp_path, "edges", history, 90.0)
    write_curves(tmp_path / "other", "edges", [(step, 2 * loss + 0.3 * step) for step, loss in history], 90.0)
    assert pixels(tmp_path).shape == (600, 1050, 3)
    assert (pixels(tmp_path) != pixels(tmp_path / "other")).any()


def test_from_twenty_points_on_a_moving_mean_is_drawn(tmp_path):
    def blue(count):
        write_curves(tmp_path, "edges", falling(count), 90.0)
        red, _, strongest = np.moveaxis(pixels(tmp_path), -1, 0)
        return int((strongest - red > 60).sum())

    assert blue(19) == 0
    assert blue(20) > 500


def test_nothing_is_written_without_a_history(tmp_path):
    write_curves(tmp_path / "run", "edges", [], 0.0)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match=r"loss\.csv' cannot be written"):
        write_curves(tmp_path / "run", "edges", falling(3), 0.0)


def test_a_moving_mean_keeps_what_does_not_change_and_smooths_what_does():
    assert moving_mean(np.full(9, 2.0), 5) == pytest.approx(np.full(9, 2.0))
    assert moving_mean(np.array([0.0, 3.0, 0.0, 3.0, 6.0]), 3) == pytest.approx([1.5, 1.0, 2.0, 3.0, 4.5])
