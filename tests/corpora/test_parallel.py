"""Work in threads and processes: results in order, failures passed on, nothing left running."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from parallel_work import die_at_200, process_id, refuse_77, square_slowly_at_first

from seqrec.corpora.parallel import count_workers, in_processes, in_threads
from seqrec.errors import UserError

Run = Callable[..., Iterator[Any]]
BOTH = pytest.mark.parametrize("run", [in_threads, in_processes])


@BOTH
@pytest.mark.parametrize("num_items", [0, 1, 63, 64, 65, 300])
def test_results_come_in_order(run: Run, num_items: int) -> None:
    assert list(run(square_slowly_at_first, range(num_items), 2, 7)) == [number * number for number in range(num_items)]


@BOTH
@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_failure_is_passed_on_after_what_came_before(run: Run, num_workers: int) -> None:
    done = []
    with pytest.raises(UserError, match=r"^77 is refused$"):
        done.extend(run(refuse_77, range(300), num_workers, 7))
    results = run(refuse_77, range(300), num_workers, 7)
    assert list(islice(results, 70)) == list(range(70))  # chunks of 7 before that of 77
    with pytest.raises(UserError, match=r"^77 is refused$"):
        list(results)


@BOTH
def test_a_failure_of_the_items_is_passed_on(run: Run) -> None:
    def items() -> Iterator[int]:
        yield from range(100)
        raise UserError("line 101 is damaged")

    for _ in range(8):  # a pool that waits for what has been cancelled does so by chance
        with pytest.raises(UserError, match=r"^line 101 is damaged$"):
            list(run(square_slowly_at_first, items(), 2, 7))


def test_processes_are_others_and_few_items_need_none() -> None:
    assert os.getpid() not in set(in_processes(process_id, range(100), 2))
    assert set(in_processes(process_id, range(10), 2)) == {os.getpid()}
    assert set(in_processes(process_id, range(100), 1)) == {os.getpid()}


def test_closing_early_leaves_no_process_behind() -> None:
    before = set(multiprocessing.active_children())
    results = in_processes(square_slowly_at_first, range(10_000), 2, 10)
    assert next(results) == 0
    assert set(multiprocessing.active_children()) - before
    results.close()  # type: ignore[attr-defined]
    assert set(multiprocessing.active_children()) <= before


def test_closing_early_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    results = in_threads(square_slowly_at_first, range(10_000), 2, 10)
    assert next(results) == 0
    assert set(threading.enumerate()) - before
    results.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


@BOTH
def test_endless_items_are_taken_as_they_are_needed(run: Run) -> None:
    taken = count()
    results = run(square_slowly_at_first, taken, 2, 5)
    assert list(islice(results, 10)) == [number * number for number in range(10)]
    assert next(taken) <= 64 + 2 * 4 * 5 + 5
    results.close()  # type: ignore[attr-defined]


def test_a_process_that_dies_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"a worker process was ended from outside.*corpus\.num_workers=1"):
        list(in_processes(die_at_200, range(400), 2, 7))


@BOTH
@pytest.mark.parametrize("num_workers", [0, -3])
def test_too_few_workers_are_refused_at_once(run: Run, num_workers: int) -> None:
    with pytest.raises(UserError, match=rf"corpus\.num_workers={num_workers} is below 1; set 1 or more, or null"):
        run(square_slowly_at_first, range(3), num_workers)


def test_as_many_workers_as_cores_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_workers(5) == 5
    assert 1 <= count_workers(None) <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3}, raising=False)
    assert count_workers(None) == 2


ENDLESS = """
import signal
from itertools import count
from parallel_work import process_id
from seqrec.corpora.parallel import in_processes

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where the shell ignores it
    shown = set()
    try:
        for worker in in_processes(process_id, count(), 2):
            if worker not in shown:
                shown.add(worker)
                print(worker, flush=True)
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent_without_a_word(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    command = [sys.executable, str(tmp_path / "endless.py")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment, start_new_session=True
        )
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    send = os.kill if how is signal.SIGKILL else os.killpg  # Ctrl-C goes to all processes of a terminal
    send(process.pid, how)
    assert process.stdout.read() is not None  # its end comes when the last of them has ended
    process.wait()
    process.stdout.close()
    assert not is_running(worker)
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"
