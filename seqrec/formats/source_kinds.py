"""What kinds of sources are read: files, which can be opened several times."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from seqrec.errors import UserError


def refuse_pipe(source: Any) -> None:
    """Refuse a path of what is read only once, or waits for a writer.

    Raises:
        UserError: it is one.
    """
    is_there = isinstance(source, (str, Path)) and os.path.exists(source)
    if is_there and not os.path.isfile(source) and not os.path.isdir(source):
        raise UserError(f"{source}: is a pipe or a device, not a file; read it through standard input (-)")
