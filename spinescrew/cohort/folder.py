"""A folder of results that is either complete or not there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spinescrew.errors import InputError

MARK = "plan.json"
"""A folder that holds one of these is ours and may be replaced."""


@contextmanager
def result_folder(target: Path, force: bool = False, mark: str = MARK) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its place when the block ends well.

    Raises
    ------
    InputError
        If ``target`` holds something that is not an earlier result (unless ``force``), or cannot be written.
    """
    target = Path(target)
    if target.is_file():
        raise InputError(f"{target} is a file; give --out a folder")
    if target.is_dir() and any(target.iterdir()) and not (force or (target / mark).exists()):
        raise InputError(f"{target} holds other files; choose an empty folder, or --force to replace it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError(f"{target.parent} cannot be written ({error.strerror}); choose another --out") from error
    try:
        try:
            yield working
            working.chmod(0o755)
            _replace(working, target)
        except OSError as error:
            raise InputError(f"{target} could not be written ({error.strerror}); nothing was changed") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _replace(working: Path, target: Path) -> None:
    """Put ``working`` in the place of ``target``; on failure the old one stands again."""
    if not target.exists():
        working.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(aside / "old")
    try:
        working.rename(target)
    except OSError:
        (aside / "old").rename(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
