"""Memory that training gives back and takes again is kept by the process; what it never needs again is not.

By default glibc takes every large tensor from the system anew and gives it back, page by page; an LSTM step does so
thousands of times. Kept memory shows as resident memory that does not fall between steps.

On a CPU, torch keeps the code and the scratch memory of each operation for the next one of the same shape: 1,024 of
oneDNN's operations, and 1,024 matrix products in bfloat16. Batches of examples hardly ever have a shape again, so that
is some MB a step for hundreds of steps. A step's own operations are all that need be kept.

OpenMP's threads wait for one another at each of thousands of small operations a step. By default GNU's do so running,
for milliseconds, and where other programs want the cores they keep the very thread that they wait for from running: a
step with two threads then takes ten times as long as with one. Waking those that sleep costs more than half of an idle
machine's speed. So they run for some microseconds, which is as long as most waits are, and sleep then.
"""

from __future__ import annotations

import ctypes
import os

VARIABLE = "SEQREC_KEEP_MEMORY"  # 0: leave all of this as it is
_SETTINGS = {  # the numbers of glibc's malloc.h; mallopt(3)
    "MALLOC_MMAP_MAX_": (-4, 0),  # large blocks from the heap too
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**31 - 1),  # the heap never shrinks
    "MALLOC_TOP_PAD_": (-2, 64 << 20),  # bytes the heap grows by at a time
}

_SPINS = "5000"  # rounds of waiting before a thread sleeps

_CAPACITIES = {  # operations that are kept; layers x directions x (forward, backward) and as many reorders fit
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "LRU_CACHE_CAPACITY": "16",  # torch's own, of matrix products in bfloat16, in each of several caches
}


def keep_memory() -> bool:
    """Tell glibc to keep freed memory, bound torch's caches, shorten waits; call it before torch is loaded.

    A setting that the environment makes itself (such as MALLOC_TOP_PAD_) is left alone. Returns whether there was
    anything to tell glibc: false on systems without it, and with SEQREC_KEEP_MEMORY=0.
    """
    bound_caches()
    wait_briefly()
    if os.environ.get(VARIABLE) == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc: macOS, Windows, musl
        return False
    wanted = [setting for name, setting in _SETTINGS.items() if name not in os.environ]
    return all([mallopt(option, value) == 1 for option, value in wanted])


def bound_caches() -> None:
    """Bound what torch keeps for operations of shapes that do not come again; call it before torch is loaded.

    A capacity that the environment sets itself is left alone, and so are all with SEQREC_KEEP_MEMORY=0.
    """
    if os.environ.get(VARIABLE) != "0":
        for name, capacity in _CAPACITIES.items():
            os.environ.setdefault(name, capacity)


def wait_briefly() -> None:
    """Have GNU OpenMP's threads sleep soon while they wait; a GOMP_SPINCOUNT or OMP_WAIT_POLICY that is set stands."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
