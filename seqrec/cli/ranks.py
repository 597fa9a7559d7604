"""The processes (ranks) that train one run together: who is the first, and where all of them write.

Lightning starts the other ranks itself once the first has prepared everything. torchrun and srun start all at once, and
each composes the config by itself: then the others wait for the first, which prepares and writes alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.errors import UserError

if TYPE_CHECKING:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

_PREPARING = timedelta(days=7)  # at most; torchrun ends all ranks when one fails
_WRITING_SECONDS = 60.0  # from the corpus that stands to the run folder's last file


def is_first_rank() -> bool:
    """Tell whether this is the process that prepares, writes and speaks."""
    if _by_torchrun():
        return os.environ["RANK"] == "0"
    if "LOCAL_RANK" in os.environ or "NODE_RANK" in os.environ:  # of Lightning
        return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"
    return os.environ.get("SLURM_PROCID", "0") == "0"


def num_processes(trainer: Mapping[str, Any]) -> int | None:
    """Return how many processes a trainer's config asks for; None where the machine decides, as in devices=auto."""
    devices = trainer.get("devices", 1)
    if isinstance(devices, str) and devices.isdecimal():
        devices = int(devices)
    count = len(devices) if isinstance(devices, (list, tuple)) else devices
    nodes = trainer.get("num_nodes", 1)
    return count * nodes if isinstance(count, int) and isinstance(nodes, int) and count > 0 else None


def check_ranks(trainer: Mapping[str, Any]) -> None:
    """Refuse a trainer that takes other devices than torchrun has started processes for."""
    started, wanted = int(os.environ.get("WORLD_SIZE", "1")), num_processes(trainer)
    if _by_torchrun() and wanted is not None and started != wanted:
        raise UserError(
            f"torchrun has started {started} processes, but trainer.devices={trainer.get('devices', 1)} and "
            f"trainer.num_nodes={trainer.get('num_nodes', 1)} ask for {wanted}; give trainer=ddp and "
            "trainer.devices as torchrun's --nproc_per_node, trainer.num_nodes as its --nnodes"
        )


def has_store() -> bool:
    """Tell whether torchrun itself holds a store that all ranks reach."""
    return _by_torchrun() and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"


def announce(folder: Path) -> None:
    """Tell the other ranks where the run lies, all written that they read."""
    if has_store():
        _store().set(_key(), str(folder))


def announced(folder: Path, sign: str) -> Path:
    """Wait for the first rank and return the run folder it chose.

    Args:
        folder: the run folder this rank would have chosen; without torchrun it must be the first rank's.
        sign: the file that the first rank writes there last.

    Raises:
        UserError: the first rank wrote nothing in `folder`.
    """
    if has_store():
        store = _store()
        store.wait([_key()], _PREPARING)
        return Path(store.get(_key()).decode())
    deadline = time.monotonic() + _WRITING_SECONDS
    while not (folder / sign).is_file():
        if time.monotonic() > deadline:
            raise UserError(
                f"{folder}: the first process has written no run here in {_WRITING_SECONDS:.0f} s; "
                "give all processes the same hydra.run.dir=PATH"
            )
        time.sleep(0.1)
    return folder


def _by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ


def _store() -> TCPStore:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    return TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)


def _key() -> str:
    return f"seqrec/run/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
