"""Keeping checkpoints in a run's folder, wherever that has moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import callbacks


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Lightning's, which knows its checkpoints again in a run that is resumed through another path.

    Lightning forgets the best score where the folder's path has changed, and would put a worse checkpoint in its place.
    The name stays Lightning's: checkpoints keep this callback's state by it.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint, with the files of the same names in this run's folder."""
        names = ("best_model_path", "kth_best_model_path", "last_model_path")
        paths = {name: self._here(state_dict[name]) for name in names}
        best = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": best, "dirpath": self.dirpath})

    def _here(self, path: str) -> str:
        """Return the path of a checkpoint in this run's folder; none stays none."""
        return path and str(Path(str(self.dirpath)) / Path(path).name)
