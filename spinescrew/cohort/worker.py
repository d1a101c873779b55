"""A job in a process of its own: what runs there, and how both sides pass things in a private folder.

``python -m spinescrew.cohort.worker FOLDER`` runs the job of a folder that :mod:`spinescrew.cohort.background` made.
The folder is the other side's: when that ends, this process removes the folder and ends too.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from spinescrew.geometry.atomic import hold

if TYPE_CHECKING:
    from spinescrew.geometry.volume import Volume
    from spinescrew.progress import Progress

JOB, ARGUMENTS, RESULT = "job", "arguments", "result"
PROGRESS, ERROR, ALIVE, LOG = "progress.json", "error.json", "alive", "log.txt"
KEPT_METADATA = ("numbering", "corrections", "notes", "found_by")
_WATCH_S = 0.5
_PROGRESS_S = 0.05

Volumes = Mapping[str, "Volume"]


def _plan(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.case import plan_volumes

    return plan_volumes(volumes["labels"], volumes.get("ct"), arguments["levels"], arguments["options"], progress)


def _measure(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.anatomy.build import build_spine

    return build_spine(volumes["labels"], volumes.get("ct"), arguments["levels"], progress)


def _segment(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.segment import segment_volume

    return segment_volume(volumes["ct"], arguments["levels"], arguments["engine"], progress=progress)


def _c2(volumes: Volumes, _arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.feasibility.assessment import assess_c2

    return assess_c2(volumes["ct"], progress=progress)


def _judge(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.c2_open import judge_target

    return judge_target(arguments["target"], volumes.get("ct"), progress)


def _open(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.open_files import open_target

    return open_target(arguments["target"], progress)


def _export(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.case import CaseResult
    from spinescrew.cohort.export import export_case

    result = CaseResult(arguments["plan"], arguments["spine"])
    return export_case(result, arguments["folder"], arguments["archive"], progress)


def _export_c2(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.c2_pack import pack_c2

    return pack_c2(**arguments, progress=progress)


def _pose(volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.pose_open import open_pose

    return open_pose(**arguments, ct=volumes.get("ct"), labels=volumes.get("labels"), progress=progress)


def _pose_example(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.pose_demo import write_example

    return write_example(**arguments, progress=progress)


def _export_pose(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.pose_open import pack_pose

    return pack_pose(**arguments, progress=progress)


def _brand(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.brand_open import open_brand

    return open_brand(**arguments, progress=progress)


def _brand_example(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.brand_demo import write_example

    return write_example(**arguments, progress=progress)


def _export_brand(_volumes: Volumes, arguments: dict[str, Any], progress: Progress) -> Any:
    from spinescrew.cohort.brand_open import pack_brand

    return pack_brand(**arguments, progress=progress)


JOBS: dict[str, Callable[[Volumes, dict[str, Any], Progress], Any]] = {
    "plan": _plan,
    "measure": _measure,
    "segment": _segment,
    "c2": _c2,
    "judge": _judge,
    "open": _open,
    "export": _export,
    "export_c2": _export_c2,
    "pose": _pose,
    "pose_example": _pose_example,
    "export_pose": _export_pose,
    "brand": _brand,
    "brand_example": _brand_example,
    "export_brand": _export_brand,
}


def write_job(folder: Path, name: str, volumes: Volumes, arguments: dict[str, Any]) -> None:
    """Put a job of :data:`JOBS` into the folder; of the volumes' metadata only what planning says goes with them."""
    import numpy as np

    grids = {}
    for key, volume in volumes.items():
        np.save(folder / f"{key}.npy", volume.array, allow_pickle=False)
        metadata = {item: volume.metadata[item] for item in KEPT_METADATA if item in volume.metadata}
        grids[key] = (volume.affine, metadata)
    write_pickle(folder / ARGUMENTS, arguments, volumes)
    write_pickle(folder / JOB, {"name": name, "grids": grids}, {})


def read_job(folder: Path) -> tuple[str, dict[str, Volume], dict[str, Any]]:
    """(name, volumes, arguments) of :func:`write_job`."""
    import numpy as np

    from spinescrew.geometry.volume import Volume

    job = read_pickle(folder / JOB, {})
    volumes: dict[str, Volume] = {}
    for key, (affine, metadata) in job["grids"].items():
        volumes[key] = Volume(np.load(folder / f"{key}.npy", allow_pickle=False), affine, metadata)
    return job["name"], volumes, read_pickle(folder / ARGUMENTS, volumes)


class _Pickler(pickle.Pickler):
    """Writes of a volume that both sides have only its name."""

    def __init__(self, file: IO[bytes], volumes: Volumes) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._names = {id(volume): name for name, volume in volumes.items()}

    def persistent_id(self, value: Any) -> str | None:
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], volumes: Volumes) -> None:
        super().__init__(file)
        self._volumes = volumes

    def persistent_load(self, name: str) -> Any:
        return self._volumes[name]


def write_pickle(path: Path, value: Any, volumes: Volumes) -> None:
    """Write ``value`` whole or not at all; of the ``volumes`` in it only the names."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        _Pickler(file, volumes).dump(value)
    temporary.replace(path)


def read_pickle(path: Path, volumes: Volumes) -> Any:
    """Read :func:`write_pickle`, with these ``volumes`` in their places. Only for files of one's own."""
    with path.open("rb") as file:
        return _Unpickler(file, volumes).load()


def write_json(path: Path, value: Any) -> None:
    """Write a small file whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    temporary.replace(path)


def run(folder: Path) -> int:
    """Do the job of a folder; 0 if there is a result, 1 if there is an error file."""
    from spinescrew.errors import SpineScrewError
    from spinescrew.progress import Progress

    try:
        name, volumes, arguments = read_job(folder)
        result = JOBS[name](volumes, arguments, Progress(_progress_writer(folder / PROGRESS)))
        write_pickle(folder / RESULT, result, volumes)
    except SpineScrewError as error:
        return _told(folder, type(error).__name__, str(error))
    except MemoryError:
        return _told(folder, "InputError", "memory ran out; close other programs or take fewer levels")
    except Exception as error:
        return _told(folder, "defect", f"{type(error).__name__}: {error}".splitlines()[0])
    return 0


def _told(folder: Path, kind: str, text: str) -> int:
    write_json(folder / ERROR, {"kind": kind, "text": text, "traceback": traceback.format_exc()})
    return 1


def _progress_writer(path: Path) -> Callable[[float, str], None]:
    last_text, last_time = "", 0.0

    def write(fraction: float, text: str) -> None:
        nonlocal last_text, last_time
        now = time.monotonic()
        if text == last_text and now - last_time < _PROGRESS_S and fraction < 1.0:
            return
        last_text, last_time = text, now
        with suppress(PermissionError):  # Windows, while the other side reads
            write_json(path, {"fraction": fraction, "text": text})

    return write


def _watch(folder: Path) -> None:
    """End this process, and what it left, when the process that asked for the job has ended."""
    while True:
        time.sleep(_WATCH_S)
        try:
            held = hold(folder / ALIVE)
        except OSError:
            os._exit(1)  # the folder is gone
        if held is not None:
            held.close()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)


def main(arguments: list[str]) -> int:
    """Run the job of the folder named by the only argument."""
    folder = Path(arguments[0])
    threading.Thread(target=_watch, args=(folder,), daemon=True).start()
    return run(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
