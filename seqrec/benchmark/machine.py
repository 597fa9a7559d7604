"""What a benchmark ran on, and the memory it took."""

from __future__ import annotations

import os
import platform
import sys
from datetime import datetime, timezone

import torch

from seqrec.run_folder import git_state, processor_name
from seqrec.share import PACKAGE


def describe_machine() -> dict[str, str]:
    """Return machine, threads, versions of Python and torch, date and commit, as a benchmark tells them."""
    git = git_state(PACKAGE.parent)
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "processor": processor_name(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "gpus": ", ".join(gpus) or "none",
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": f"{git['commit']}{' with changes' if git['changed'] else ''}" if git else "not told",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def peak_bytes(device: torch.device) -> int | None:
    """Return the most memory that this process has taken so far: of a GPU its tensors, else of the machine.

    None: the system does not tell it.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux counts in KiB
