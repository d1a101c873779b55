"""A run that is stopped, killed or interrupted goes on as if nothing had been."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.training.checkpoint import FILE, read_checkpoint
from spinescrew.training.curves import PICTURE, TABLE
from spinescrew.training.options import TrainingOptions, parse_time
from spinescrew.training.trainer import HISTORY_STEPS, Trainer


class Edges:
    """Tells the step in a random field: small, and learned in seconds."""

    name, purpose, shape = "edges", "finds edges", (16, 16, 16)

    def build(self):
        return torch.nn.Sequential(
            torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Dropout3d(0.0), torch.nn.Conv3d(4, 1, 1)
        )

    def batch(self, step):
        random = np.random.default_rng((7, step))
        field = random.normal(size=(1, 1, 8, 8, 8)).astype(np.float32)
        return {"image": torch.from_numpy(field), "target": torch.from_numpy(np.diff(field, axis=2, append=0.0))}

    def loss(self, model, batch):
        return ((model(batch["image"]) - batch["target"]) ** 2).mean()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def options(**changes):
    return TrainingOptions(**{"device": "cpu", "learning_rate": 1e-2, "warm_up": 5, **changes})


def trained(folder, steps, resume=False, **changes):
    return Trainer(Edges(), folder, options(steps=steps, **changes)).run(resume=resume)


def same(one, other):
    """Whether two nested states are equal, bit for bit."""
    if hasattr(one, "equal"):
        return one.equal(other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def assert_same_run(one, other):
    for part in ("step", "model", "average", "optimizer", "history", "recent"):
        assert same(getattr(one, part), getattr(other, part)), part


def test_the_loss_falls(tmp_path):
    state = trained(tmp_path, 200)
    assert state.step == 200
    assert state.history[-1][1] < 0.3 * state.history[0][1]
    assert [step for step, _ in state.history] == list(range(HISTORY_STEPS, 201, HISTORY_STEPS))


def test_the_loss_is_drawn_beside_the_checkpoint(tmp_path):
    trained(tmp_path, HISTORY_STEPS - 1)
    assert not (tmp_path / TABLE).exists(), "nothing to draw yet"
    state = trained(tmp_path, 3 * HISTORY_STEPS, resume=True)
    table = np.loadtxt(tmp_path / TABLE, delimiter=",", skiprows=1)
    assert table == pytest.approx(np.array(state.history), rel=1e-5)
    assert (tmp_path / PICTURE).stat().st_size > 5000


def test_a_picture_that_cannot_be_drawn_does_not_stop_a_training(tmp_path, caplog):
    (tmp_path / PICTURE).mkdir()
    assert trained(tmp_path, HISTORY_STEPS).step == HISTORY_STEPS
    assert "the curves of edges were not drawn" in caplog.text
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / FILE).mkdir()
    with pytest.raises(InputError, match=r"checkpoint\.pt' is a folder"):
        trained(tmp_path / "blocked", 1)


def test_a_run_in_pieces_is_the_run_in_one(tmp_path):
    whole = trained(tmp_path / "whole", 45)
    for steps in (7, 20, 33, 45):
        pieces = trained(tmp_path / "pieces", steps, resume=True)
    assert_same_run(whole, pieces)
    assert_same_run(whole, read_checkpoint(tmp_path / "pieces", "edges", options()))


def test_workers_prepare_the_same_batches(tmp_path):
    assert_same_run(trained(tmp_path / "one", 12), trained(tmp_path / "many", 12, workers=2))


def test_the_average_lags_behind_the_weights(tmp_path):
    trainer = Trainer(Edges(), tmp_path, options(steps=30))
    trainer.run()
    moving, own = (dict(model.named_parameters()) for model in (trainer.best, trainer.model))
    assert all(not torch.equal(moving[name], own[name]) for name in own)


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import test_trainer as t
t.torch.set_num_threads(1)
task = t.Edges()
slow = task.batch
def batch(step):
    print(step, flush=True)
    return slow(step)
task.batch = batch
t.Trainer(task, {folder!r}, t.options(steps=100000, checkpoint_s=0.05)).run(resume=True)
"""


def running(folder):
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", SCRIPT.format(here=here, folder=str(folder))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(process, folder, steps):
    """Wait until a checkpoint is there and so many steps were made."""
    for line in process.stdout:
        if int(line) >= steps and (folder / FILE).exists():
            return int(line)
    raise AssertionError("the run ended by itself")


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    folder = tmp_path / "killed"
    for steps in (150, 400):
        process = running(folder)
        until(process, folder, steps)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    left = read_checkpoint(folder, "edges", options())
    assert left.step > 0
    resumed = trained(folder, left.step + 25, resume=True)
    assert_same_run(resumed, trained(tmp_path / "whole", left.step + 25))


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_where_it_was(tmp_path, kind):
    process = running(tmp_path)
    last = until(process, tmp_path, 100)
    process.send_signal(kind)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    last = max([last, *map(int, output.split())])
    assert abs(read_checkpoint(tmp_path, "edges", options()).step - last) <= 1


def test_time_ends_a_run(tmp_path):
    started = time.monotonic()
    state = Trainer(Edges(), tmp_path, options(time_s=0.5)).run()
    assert 0.4 < time.monotonic() - started < 10.0
    assert state.step > 1
    assert state.seconds == pytest.approx(0.5, abs=0.4)


def test_a_cancelled_run_is_kept(tmp_path):
    progress = Progress(lambda fraction, text: progress.cancel() if "step 9" in text else None)
    state = Trainer(Edges(), tmp_path, options(steps=1000)).run(progress=progress)
    assert state.step < 20
    assert read_checkpoint(tmp_path, "edges", options()).step == state.step


def test_other_settings_are_refused_and_nothing_is_lost(tmp_path):
    trained(tmp_path, 5)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InputError, match=r"was trained with learning_rate 0\.01"):
        Trainer(Edges(), tmp_path, options(steps=9, learning_rate=1.0)).run(resume=True)
    assert (tmp_path / FILE).read_bytes() == before


def test_another_networks_checkpoint_is_refused(tmp_path):
    trained(tmp_path, 5)
    task = Edges()
    task.name = "other"
    with pytest.raises(InputError, match="belongs to edges"):
        Trainer(task, tmp_path, options(steps=9)).run(resume=True)


def test_a_damaged_checkpoint_is_named(tmp_path):
    trained(tmp_path, 5)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"checkpoint\.pt' is damaged"):
        trained(tmp_path, 9, resume=True)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        trained(tmp_path, 500, learning_rate=1e18, clip=1e30, warm_up=1)


def test_times_are_read_as_people_write_them():
    assert [parse_time(text) for text in ("150m", "2h", "90s", "45", "1.5 m")] == [9000, 7200, 90, 45, 90]
    for text in ("", "soon", "-3m", "0"):
        with pytest.raises(InputError, match="is not a time"):
            parse_time(text)
