"""Other programs, each in a process group of its own that can be cancelled and leaves nothing behind."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import spinescrew
from spinescrew.errors import InputError
from spinescrew.progress import Progress

_POLL_S = 0.1
_KEPT_LINES = 400


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code (negative: the signal that ended it) and the last lines it wrote."""

    code: int
    lines: tuple[str, ...]

    @property
    def last_line(self) -> str:
        """The last thing it said, for a message."""
        return self.lines[-1] if self.lines else "it said nothing"


def library_path() -> dict[str, str]:
    """What another Python needs in its environment to import this very library."""
    library = str(Path(spinescrew.__file__).resolve().parent.parent)
    return {"PYTHONPATH": os.pathsep.join(filter(None, (library, os.environ.get("PYTHONPATH"))))}


def find_python() -> str:
    """The running interpreter; inside Slicer the ``PythonSlicer`` beside the program or on the path.

    Raises
    ------
    InputError
        If the running program is not a Python and there is no PythonSlicer.
    """
    program = Path(sys.executable or "")
    if "python" in program.name.lower():
        return str(program)
    beside = shutil.which("PythonSlicer", path=str(program.parent)) if program.name else None
    found = beside or shutil.which("PythonSlicer")
    if found is None:
        raise InputError("no Python was found to work in the background; add the folder of PythonSlicer to the PATH")
    return found


def run_program(
    command: Sequence[str],
    progress: Progress,
    hear: Callable[[str], float | None],
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program to its end and report how far it is.

    Parameters
    ----------
    hear:
        Given each line of its output (a carriage return ends a line too, as progress bars use it); the fraction in
        [0, 1] that line stands for, or ``None``.

    Raises
    ------
    InputError
        If the program cannot be started.
    Cancelled
        If a cancel was asked for; the program and all its children are ended first.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise InputError(f"{command[0]} cannot be started ({error.strerror}); install it again") from error
    heard: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=_read_lines, args=(process.stdout, heard), daemon=True)
    reader.start()
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        while process.poll() is None:
            progress.check()
            _report(heard, kept, progress, hear)
    finally:
        _end(process)
        reader.join(5.0)
    while not heard.empty():
        _report(heard, kept, progress, hear)
    return Ended(process.returncode, tuple(kept))


def _read_lines(stream: IO[bytes], heard: queue.Queue[str]) -> None:
    """Put each line into ``heard``; runs in a thread, because reading waits."""
    with stream:
        rest = b""
        while chunk := os.read(stream.fileno(), 4096):
            *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in whole:
                heard.put(line.decode(errors="replace").strip())
        heard.put(rest.decode(errors="replace").strip())


def _report(heard: queue.Queue[str], kept: deque[str], progress: Progress, hear: Callable[[str], float | None]) -> None:
    """Take one line, if one comes soon."""
    with suppress(queue.Empty):
        line = heard.get(timeout=_POLL_S)
        if line:
            kept.append(line)
            fraction = hear(line)
            if fraction is not None:
                progress.update(fraction, line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all its children, even those it left behind."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10.0)
