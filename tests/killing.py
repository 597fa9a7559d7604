"""A callback for tests of resuming: it ends its process at a chosen place, as `kill -9` or a power cut does."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer


class KillAt(Callback):
    """Kills the process in optimiser step `step`, in the hook `hook`, as the file at `path` says; no file, no kill."""

    def __init__(self, path: str) -> None:
        self.at = json.loads(Path(path).read_text()) if Path(path).is_file() else {}

    def _kill(self, hook: str, trainer: Trainer) -> None:
        if self.at == {"hook": hook, "step": trainer.global_step}:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        self._kill("on_train_batch_start", trainer)

    def on_before_optimizer_step(self, trainer: Trainer, *_: Any) -> None:
        self._kill("on_before_optimizer_step", trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self._kill("on_train_batch_end", trainer)
