"""How long the project's own networks take to turn a CT into named vertebrae, and the memory that needs."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from spinescrew.errors import InputError, SpineScrewError
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.training_case import make_training_case
from spinescrew.progress import Progress
from spinescrew.segmentation.box import AIR_HU, Box
from spinescrew.segmentation.own import OwnEngine
from spinescrew.segmentation.process import find_python, library_path, run_program
from spinescrew.segmentation.scheme import FINE_SHAPE

SIZE, SPACING_MM = (512, 512, 200), (0.75, 0.75, 1.5)

_SEED = 17  # a whole trunk
_CT, _FIGURES, _ERROR = "ct.npz", "figures.json", "error"
_CHANNELS, _REPEATS = 16, 5
_PROGRESS = "progress "


def segmentation_figures(
    progress: Progress | None = None,
    device: str = "auto",
    threads: int = 0,
    size: tuple[int, int, int] = SIZE,
    spacing: tuple[float, float, float] = SPACING_MM,
) -> dict[str, Any]:
    """Times in s and peak memory in MB of the own engine on one simulated CT, in a process of its own.

    The reference of the same run is one 3 x 3 x 3 convolution of 16 channels over the box in which a vertebra is cut,
    on the same device, in the same precision, with as many threads. Each step loads its network, as it does in use.

    Parameters
    ----------
    threads:
        Of torch, on a CPU; 0 leaves their number to it.
    size, spacing:
        Voxels of the CT and mm between them, along right-left, anterior-posterior and superior-inferior.

    Raises
    ------
    InputError
        If a model is missing (the message says how to train it), or finds nothing.
    """
    progress = progress or Progress()
    problem = OwnEngine(device).unavailable()
    if problem:
        raise InputError(problem)
    ct = simulated_ct(size, spacing, progress.part(0.0, 0.4))
    with tempfile.TemporaryDirectory(prefix="spinescrew-") as folder:
        np.savez(Path(folder) / _CT, array=ct.array, affine=ct.affine)
        del ct
        return _in_a_process_of_its_own(Path(folder), device, threads, progress.part(0.4, 1.0))


def simulated_ct(
    size: tuple[int, int, int], spacing: tuple[float, float, float], progress: Progress | None = None
) -> Volume:
    """A healthy trunk in a CT of this size and spacing, in its middle; air where its scanner saw nothing."""
    case = make_training_case(_SEED, spacing=spacing, pathology="healthy", progress=progress)
    middle = case.ct.index_to_ras(0.5 * (np.array(case.ct.shape) - 1))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = middle - 0.5 * np.array(spacing) * (np.array(size) - 1)
    return Volume(np.round(Box(size, affine).cut(case.ct, 1, AIR_HU)).astype(np.int16), affine)


def measure(ct: Volume, device: str, threads: int, progress: Progress | None = None) -> dict[str, Any]:
    """The figures of one segmentation in this process; the peak of memory is that of everything it ever did."""
    began = time.perf_counter()
    import torch

    from spinescrew.networks import tiling  # noqa: F401 - MONAI is imported once a session, not once a case
    from spinescrew.networks.device import choose_device

    imported = time.perf_counter() - began
    if threads:
        torch.set_num_threads(threads)
    place = choose_device(device)
    reference = _convolution_s(place)
    began = time.perf_counter()
    found = OwnEngine(device).segment(ct, None, progress or Progress())
    whole = time.perf_counter() - began
    level = found.timings_s["cut the vertebrae"] / len(found.levels)
    figures = {
        "device": _name_of(place),
        "threads": torch.get_num_threads(),
        "size": " x ".join(map(str, ct.shape)),
        "levels": " ".join(level.name for level in found.levels),
        "finding and naming s": found.timings_s["find and name the vertebrae"],
        "cutting one level s": level,
        "whole case s": whole,
        "importing torch and MONAI, once s": imported,
        "peak memory MB": peak_memory_mb(),
        "one convolution s": reference,
        "one level / one convolution": level / reference,
        "whole case / one convolution": whole / reference,
    }
    if place.type == "cuda":
        figures["peak GPU memory MB"] = torch.cuda.max_memory_allocated(place) / 2**20
    return figures


def peak_memory_mb() -> float:
    """The most memory that this process held, in MB.

    Not what ``getrusage`` tells where ``/proc`` knows better: there a child inherits the peak of the process that
    started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(held.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def main(folder: Path, device: str, threads: int) -> int:
    """Measure the CT in ``folder`` and write the figures there, or the error; what the child process does."""
    with np.load(folder / _CT) as held:
        ct = Volume(held["array"], held["affine"])
    try:
        figures = measure(ct, device, threads, Progress(_say))
    except InputError as error:
        figures = {_ERROR: str(error)}
    (folder / _FIGURES).write_text(json.dumps(figures), encoding="utf-8")
    return 0


def _in_a_process_of_its_own(folder: Path, device: str, threads: int, progress: Progress) -> dict[str, Any]:
    command = [find_python(), "-P", "-m", "spinescrew.cohort.bench_segmentation", str(folder), device, str(threads)]
    ended = run_program(command, progress, _fraction_of, library_path())
    if ended.code != 0:
        raise SpineScrewError(
            f"the measurement ended with code {ended.code} ({ended.last_line}); free memory and retry"
        )
    figures: dict[str, Any] = json.loads((folder / _FIGURES).read_text(encoding="utf-8"))
    if _ERROR in figures:
        raise InputError(figures[_ERROR])
    return figures


def _say(fraction: float, _text: str) -> None:
    sys.stdout.write(f"{_PROGRESS}{fraction:.3f}\n")
    sys.stdout.flush()


def _fraction_of(line: str) -> float | None:
    return float(line.removeprefix(_PROGRESS)) if line.startswith(_PROGRESS) else None


def _convolution_s(place: Any) -> float:
    """The reference; also warms the device up."""
    import torch

    from spinescrew.networks.device import mixed_precision

    precision = mixed_precision(place)
    layer = torch.nn.Conv3d(_CHANNELS, _CHANNELS, 3, padding=1).to(place)
    image = torch.zeros(1, _CHANNELS, *FINE_SHAPE, device=place)
    times = []
    with torch.inference_mode(), torch.autocast(place.type, dtype=precision, enabled=precision is not None):
        for _ in range(_REPEATS + 1):
            began = time.perf_counter()
            float(layer(image)[0, 0, 0, 0, 0])  # waits for a GPU
            times.append(time.perf_counter() - began)
    return median(times[1:])


def _name_of(place: Any) -> str:
    import torch

    if place.type == "cuda":
        return str(torch.cuda.get_device_name(place))
    return f"{place.type} ({platform.machine()}, {os.cpu_count()} cores)"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
