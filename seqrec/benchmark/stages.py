"""Where the time of training steps goes: a clock that always runs for one stage, the one begun last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import torch

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
OTHER = "other"
STAGES = ("data", "front-end", "encoder", "CTC", "backward", "optimiser", OTHER)

# What Lightning tells a profiler of, by the end of its name; the rest belongs to the stage it happens in.
_ACTIONS = {
    ".train_dataloader_next": "data",
    ".batch_to_device": "data",
    ".training_step": "encoder",  # but for what is timed within it
    ".backward": "backward",
    ".optimizer_step": "optimiser",  # but for the closure, which is forward and backward
}


class StageClock:
    """Gives each moment to the stage begun last; on CUDA by the GPU's own clock, which nothing waits for.

    So time in which a GPU has nothing to do counts for the stage that the program was in, such as waiting for data.
    """

    def __init__(self, is_cuda: bool) -> None:
        self._is_cuda = is_cuda
        self._stages = [OTHER]
        self._marks: list[tuple[Any, str | None]] = []  # a moment, and the stage from there on; None: nobody's
        self._sums: Counter[str] = Counter()

    def begin(self, stage: str) -> None:
        """Begin a stage within the present one."""
        self._stages.append(stage)
        self._mark(stage)

    def end(self) -> None:
        """Go back to the stage before."""
        self._stages.pop()
        self._mark(self._stages[-1])

    def stop(self) -> None:
        """Give the time from now on to nobody, until a stage begins or ends."""
        self._mark(None)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside for a stage."""
        self.begin(name)
        try:
            yield
        finally:
            self.end()

    def timed(self, name: str, function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        """Return `function`, counted for a stage."""

        @wraps(function)
        def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            with self.stage(name):
                return function(*args, **kwargs)

        return run

    def clear(self) -> None:
        """Forget what was counted."""
        self._marks.clear()
        self._sums.clear()

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage; waits for the GPU."""
        if self._is_cuda:
            torch.cuda.synchronize()
        for (before, stage), (behind, _) in pairwise(self._marks):
            if stage is not None:
                self._sums[stage] += before.elapsed_time(behind) / 1000 if self._is_cuda else behind - before
        del self._marks[:-1]
        return {stage: self._sums[stage] for stage in STAGES}

    def _mark(self, stage: str | None) -> None:
        if self._is_cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append((event, stage))
        else:
            self._marks.append((perf_counter(), stage))


class StageProfiler:
    """What Lightning's loops take for a profiler: it turns their actions into stages of a clock.

    Args:
        clock: counts them.
        before_fetch: is called before each training batch is fetched.
    """

    def __init__(self, clock: StageClock, before_fetch: Callable[[], None]) -> None:
        self.clock = clock
        self.before_fetch = before_fetch

    def start(self, action_name: str) -> None:
        """Begin a stage, where the action is one."""
        stage = _stage_of(action_name)
        if action_name.endswith(".train_dataloader_next"):
            self.before_fetch()
        if stage:
            self.clock.begin(stage)

    def stop(self, action_name: str) -> None:
        """End it."""
        if _stage_of(action_name):
            self.clock.end()

    @contextmanager
    def profile(self, action_name: str) -> Iterator[str]:
        """Do both."""
        self.start(action_name)
        try:
            yield action_name
        finally:
            self.stop(action_name)

    def setup(self, stage: str, local_rank: int | None = None, log_dir: str | None = None) -> None:
        """Need nothing."""

    def teardown(self, stage: str | None) -> None:
        """Hold nothing."""

    def describe(self) -> None:
        """Say nothing: the benchmark does."""


def _stage_of(action: str) -> str | None:
    if action.startswith("[Callback]"):
        return None
    return next((stage for end, stage in _ACTIONS.items() if action.endswith(end)), None)
