"""The one loop in which every network is trained."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError
from spinescrew.networks.card import ModelCard
from spinescrew.progress import Progress
from spinescrew.training.checkpoint import FILE, Checkpoint, read_checkpoint, write_checkpoint
from spinescrew.training.curves import write_curves
from spinescrew.training.options import TrainingOptions
from spinescrew.training.task import Batch, Task

HISTORY_STEPS = 20

_LOG = logging.getLogger(__name__)


class Trainer:
    """Trains a network; a run that was stopped or killed goes on from its last checkpoint as if nothing had been.

    On a CPU a resumed run ends with the same weights, bit for bit, as one that was never stopped.

    Parameters
    ----------
    folder:
        Where the checkpoint and the curves of the loss are kept.

    Examples
    --------
    >>> Trainer(task, Path("runs/fine"), TrainingOptions(time_s=600)).run(resume=True)  # doctest: +SKIP
    """

    def __init__(self, task: Task, folder: str | Path, options: TrainingOptions | None = None) -> None:
        import torch

        from spinescrew.networks.device import choose_device, training_precision

        self.task, self.folder, self.options = task, Path(folder), options or TrainingOptions()
        self.device = choose_device(self.options.device)
        torch.manual_seed(self.options.seed)
        self.model = task.build().to(self.device)
        self.precision = training_precision(self.device, task.shape, getattr(self.model, "squeezes", False))
        self.average = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(self.options.average)
        )
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=self.options.learning_rate, weight_decay=self.options.weight_decay
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)
        self.step, self.seconds = 0, 0.0
        self.first, self.before = 0, ""
        self.history: list[tuple[int, float]] = []
        self._recent: list[float] = []

    def go_on_from(self, model: Any, card: ModelCard) -> None:
        """Begin with the weights of a trained model and count on from its steps and hours.

        Its weights are float16 and no state of the optimizer comes with them: the optimizer starts anew, with its
        warm-up. The batches that follow are those after the model's last, so none is shown again.

        Raises
        ------
        InputError
            If it is built otherwise.
        """
        try:
            self.model.load_state_dict(model.state_dict())
        except RuntimeError as error:
            raise InputError(
                f"the model {card.name} is another network than is trained now; begin without it"
            ) from error
        self.average.module.load_state_dict(model.state_dict())
        self.step = self.first = card.steps
        self.seconds, self.before = 3600 * card.hours, card.trained_on

    def run(self, *, resume: bool = False, progress: Progress | None = None) -> Checkpoint:
        """Train until a limit is reached, the user interrupts or ``progress`` is cancelled; the state is written then.

        Raises
        ------
        InputError
            If there is a checkpoint that does not fit; nothing is overwritten then.
        """
        progress = progress or Progress()
        found = read_checkpoint(self.folder, self.task.name, self.options) if resume else None
        if found is not None:
            self._restore(found)
        started = written = time.monotonic()
        before = self.seconds
        with _interrupted() as stopped:
            for batch in self._batches():
                if stopped() or progress.cancelled or self._done(time.monotonic() - started):
                    break
                self._learn(batch)
                now = time.monotonic()
                self.seconds = before + now - started
                progress.update(self._share(now - started), f"step {self.step}, loss {self._mean_loss():.3f}")
                if now - written >= self.options.checkpoint_s:
                    self._write()
                    written = time.monotonic()
        self._write()
        return self.state()

    def state(self) -> Checkpoint:
        """Everything, on the CPU."""
        return Checkpoint(
            step=self.step,
            model=_on_cpu(self.model.state_dict()),
            average=_on_cpu(self.average.state_dict()),
            optimizer=_on_cpu(self.optimizer.state_dict()),
            scaler=self.scaler.state_dict(),
            history=list(self.history),
            recent=list(self._recent),
            seconds=self.seconds,
            first=self.first,
            before=self.before,
        )

    @property
    def best(self) -> Any:
        """The network with the moving average of the weights: the one to use."""
        return self.average.module

    def _learn(self, batch: Batch) -> None:
        import torch

        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate(self.step - self.first)
        moved = {key: value.to(self.device) if hasattr(value, "to") else value for key, value in batch.items()}
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, dtype=self.precision, enabled=self.precision is not None):
            loss = self.task.loss(self.model, moved)
        if not bool(torch.isfinite(loss)):
            raise FloatingPointError(f"the loss of step {self.step} is not a number; lower the learning rate")
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update_parameters(self.model)
        self.step += 1
        self._note(float(loss.detach()))

    def _note(self, loss: float) -> None:
        self._recent.append(loss)
        if self.step % HISTORY_STEPS == 0:
            self.history.append((self.step, sum(self._recent) / len(self._recent)))
            self._recent = []

    def _mean_loss(self) -> float:
        recent = self._recent or [self.history[-1][1]]
        return sum(recent) / len(recent)

    def _batches(self) -> Iterator[Batch]:
        import torch

        if self.options.workers == 0:
            step = self.step
            while True:
                yield self.task.batch(step)
                step += 1
        loader: Any = torch.utils.data.DataLoader(
            _Steps(self.task.batch),  # type: ignore[arg-type]
            sampler=_From(self.step),  # type: ignore[arg-type]
            batch_size=None,
            num_workers=self.options.workers,
            prefetch_factor=2,
        )
        yield from loader

    def _done(self, elapsed: float) -> bool:
        limits = self.options
        if limits.steps is not None and self.step >= limits.steps:
            return True
        if limits.cycle is not None and self.step - self.first >= limits.cycle:
            return True
        return limits.time_s is not None and elapsed >= limits.time_s

    def _share(self, elapsed: float) -> float:
        shares = [0.0]
        if self.options.steps:
            shares.append(self.step / self.options.steps)
        if self.options.cycle:
            shares.append((self.step - self.first) / self.options.cycle)
        if self.options.time_s:
            shares.append(elapsed / self.options.time_s)
        return min(max(shares), 1.0)

    def _write(self) -> None:
        write_checkpoint(self.folder, self.state(), self.task.name, self.options)
        try:
            write_curves(self.folder, self.task.name, self.history, self.seconds)
        except Exception as error:  # a picture is not worth a training
            _LOG.warning("the curves of %s were not drawn: %s", self.task.name, error)

    def _restore(self, found: Checkpoint) -> None:
        try:
            self.model.load_state_dict(found.model)
        except RuntimeError as error:
            raise InputError(
                f"'{self.folder / FILE}' is of another network; give the width it was begun with, or begin anew "
                "without --resume"
            ) from error
        self.average.load_state_dict(found.average)
        self.optimizer.load_state_dict(found.optimizer)
        self.scaler.load_state_dict(found.scaler)
        self.step, self.seconds = found.step, found.seconds
        self.first, self.before = found.first, found.before
        self.history, self._recent = list(found.history), list(found.recent)


class _Steps:
    """A data set whose items are numbered by step, without end."""

    def __init__(self, batch: Callable[[int], Batch]) -> None:
        self._batch = batch

    def __getitem__(self, step: int) -> Batch:
        return self._batch(step)

    def __len__(self) -> int:
        return 2**31


class _From:
    """Step numbers from ``first`` on."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __iter__(self) -> Iterator[int]:
        step = self._first
        while True:
            yield step
            step += 1

    def __len__(self) -> int:
        return 2**31


@contextmanager
def _interrupted() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or a request to end came; the step under way is finished first. A second Ctrl-C ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def note(number: int, _frame: Any) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for kind in kinds:
        signal.signal(kind, note)
    try:
        yield lambda: bool(asked)
    finally:
        for kind in kinds:
            signal.signal(kind, before[kind])


def _on_cpu(values: Any) -> Any:
    """A copy of nested dictionaries and lists with their tensors on the CPU."""
    if hasattr(values, "detach"):
        return values.detach().cpu().clone()
    if isinstance(values, dict):
        return {key: _on_cpu(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_on_cpu(value) for value in values]
    return values
