"""A word to the user when Numba compiles, so that the seconds it takes do not look like a standstill."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import event


class _Teller(event.Listener):
    """Says once that our kernels compile; those that come from the cache are no such event."""

    said = False

    def on_start(self, event: event.Event) -> None:
        kernel = event.data["dispatcher"].py_func
        if not self.said and kernel.__module__.startswith("seqrec."):
            self.said = True
            print("compiling the beam search; this may take a minute, the first time only", file=sys.stderr)

    def on_end(self, event: event.Event) -> None:
        """Nothing is said."""


_TELLER = _Teller()


@contextmanager
def compilation_told() -> Iterator[None]:
    """Print a line on standard error if a kernel compiles meanwhile, once a process."""
    with event.install_listener("numba:compile", _TELLER):
        yield
