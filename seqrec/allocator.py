"""Memory that training gives back and takes again is kept by the process, where glibc would give it back.

By default glibc takes every large tensor from the system anew and gives it back, page by page; an LSTM step does so
thousands of times. Kept memory shows as resident memory that does not fall between steps.
"""

from __future__ import annotations

import ctypes
import os

VARIABLE = "SEQREC_KEEP_MEMORY"  # 0: leave the allocator as it is
_SETTINGS = {  # the numbers of glibc's malloc.h; mallopt(3)
    "MALLOC_MMAP_MAX_": (-4, 0),  # large blocks from the heap too
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**31 - 1),  # the heap never shrinks
    "MALLOC_TOP_PAD_": (-2, 64 << 20),  # bytes the heap grows by at a time
}


def keep_memory() -> bool:
    """Tell glibc to keep freed memory; call it before torch is loaded.

    A setting that the environment makes itself (such as MALLOC_TOP_PAD_) is left alone. Returns whether there was
    anything to set: false on systems without glibc, and with SEQREC_KEEP_MEMORY=0.
    """
    if os.environ.get(VARIABLE) == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc: macOS, Windows, musl
        return False
    wanted = [setting for name, setting in _SETTINGS.items() if name not in os.environ]
    return all([mallopt(option, value) == 1 for option, value in wanted])
