"""Files that are written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from spinescrew.errors import InputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffixes, that takes its place when the block ends without an error.

    Missing folders are made. Whatever goes wrong, nothing half-written is left and an older file stays as it was.

    Raises
    ------
    InputError
        If the folder cannot be written to, or the disk is full; the message names the file and the cause.

    Examples
    --------
    >>> with atomic_path("plan.txt") as temporary:  # doctest: +SKIP
    ...     temporary.write_text("whole")
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid4().hex[:12]}{''.join(target.suffixes)}")
    try:
        if target.is_dir():
            raise InputError(f"'{target}' is a folder; give the name of a file in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"'{target}' cannot be written ({cause}); choose another folder or make room") from error
    finally:
        if target.parent.is_dir():
            temporary.unlink(missing_ok=True)


def hold(path: Path) -> IO[bytes] | None:
    """The file at ``path``, made if need be and held until it is closed or this process ends, however it ends.

    ``None`` if someone holds it already.
    """
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
