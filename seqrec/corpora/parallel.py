"""Work on many files at once, with the results in their order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from seqrec.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")
_FEW = 64  # items that are not worth a worker
_AHEAD = 4  # chunks in work or waiting, for each worker


def count_workers(num_workers: int | None) -> int:
    """Return the number of workers a corpus's `num_workers` asks for.

    Raises:
        UserError: it is below 1.
    """
    if num_workers is None:
        ours = getattr(os, "sched_getaffinity", None)  # a container, or a job of a cluster, may have few of many
        return len(ours(0)) if ours else os.cpu_count() or 1
    if num_workers < 1:
        raise UserError(f"corpus.num_workers={num_workers} is below 1; set 1 or more, or null for one for each core")
    return num_workers


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int | None, chunk: int = 32
) -> Iterator[Result]:
    """Yield `function` of each item, in order: for work that waits for the disk."""
    workers = count_workers(num_workers)
    return _in_order(function, items, chunk, workers, lambda: ThreadPoolExecutor(workers))


def in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int | None, chunk: int = 32
) -> Iterator[Result]:
    """Yield `function` of each item, in order: for work that computes; `function`, items and results must pickle."""
    workers = count_workers(num_workers)
    context = multiprocessing.get_context("spawn")  # a fork may copy locks that a thread of ours holds
    return _in_order(function, items, chunk, workers, lambda: ProcessPoolExecutor(workers, context, _end_with_parent))


def _in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    chunk: int,
    workers: int,
    make_pool: Callable[[], Executor],
) -> Iterator[Result]:
    rest = iter(items)
    first = list(islice(rest, _FEW))
    if workers == 1 or len(first) < _FEW:
        yield from map(function, first)
        yield from map(function, rest)
        return
    with make_pool() as pool:
        try:
            yield from _pooled(pool, function, _chunks(first, rest, chunk), workers * _AHEAD)
        except BrokenExecutor:
            raise UserError(
                "a worker process was ended from outside, as happens when memory runs out; set corpus.num_workers=1"
            ) from None


def _chunks(first: list[Item], rest: Iterator[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(first), size):
        yield first[start : start + size]
    while chunk := list(islice(rest, size)):
        yield chunk


def _pooled(
    pool: Executor, function: Callable[[Item], Result], chunks: Iterator[list[Item]], most: int
) -> Iterator[Result]:
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for chunk in chunks:
            with _interrupts_later():
                waiting.append(pool.submit(_all, function, chunk))
            if len(waiting) >= most:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        # Not `future.cancel()`: a pool of processes that is shut down may wait for ever for what has been cancelled so
        # (https://github.com/python/cpython/issues/94440).
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C back; processes started meanwhile never get it, and leave it to this one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; it would wait for work for ever."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _all(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]
