"""One process at a time where several would write the same files: ranks, jobs of a sweep, or two terminals."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)


@contextmanager
def one_at_a_time(lock_file: Path, is_told: bool = True) -> Iterator[None]:
    """Wait until no other process is between these lines, and say so; the lock of one that is killed ends with it."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if is_told:
            logger.warning(f"another process is preparing the same, by its lock {lock_file}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
