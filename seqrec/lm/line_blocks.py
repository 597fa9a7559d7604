"""A large text file in blocks of whole lines, with the number of each line at hand for messages."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from seqrec.errors import UserError

BLOCK = 1 << 24  # bytes read at a time; a line may be as long


class ReadableFile(Protocol):
    """An open file of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        ...


class LineBlocks:
    """The block at hand is `content`, whole lines, and `text`, the same as (C,) uint8; `place` is where to read on."""

    def __init__(self, file: ReadableFile, path: Path) -> None:
        self.path = path
        self.content = b""
        self.text = np.empty(0, np.uint8)
        self.place = 0
        self._file = file
        self._rest = b""  # the start of a line that the next block ends
        self._lines_before = 0  # of `content`

    def refill(self) -> bool:
        """Take the next block, once all of this one is used; False at the end of the file."""
        content, size = self._rest, -1
        while b"\n" not in content[max(size, 0) :] and size < len(content):
            if len(content) > BLOCK:
                raise self.error("the line is too long for an n-gram model", len(self.content))
            size = len(content)
            content += self._file.read(BLOCK)
        if content and b"\n" not in content:  # the file's last line lacks its newline
            content += b"\n"
        end = content.rfind(b"\n") + 1
        self._lines_before += self.content.count(b"\n")
        self.content, self._rest, self.place = content[:end], content[end:], 0
        self.text = np.frombuffer(self.content, np.uint8)
        return end > 0

    def peek_line(self) -> str | None:
        """Return the next line that is not blank, stripped, and stay before it; None at the end of the file."""
        while self.place < len(self.content) or self.refill():
            line = self.line_at(self.place)
            if line.strip():
                return line.decode("utf-8-sig", "replace").strip()
            self.place += len(line) + 1
        return None

    def next_line(self) -> str | None:
        """Return the next line that is not blank, stripped, and go behind it; None at the end of the file."""
        line = self.peek_line()
        if line is not None:
            self.place = self.content.index(b"\n", self.place) + 1
        return line

    def line_at(self, start: int) -> bytes:
        """Return the line of the block that starts at `start`, without its newline."""
        return self.content[start : self.content.index(b"\n", start)]

    def error(self, message: str, place: int | None = None) -> UserError:
        """Return the error that names the line at `place` of the block, else the one where to read on."""
        lines = self._lines_before + self.content.count(b"\n", 0, self.place if place is None else place)
        return UserError(f"{self.path}:{lines + 1}: {message}")
