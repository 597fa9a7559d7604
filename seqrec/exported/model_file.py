"""The file of an exported model: an ONNX model with a check sum behind it, so that no damaged one is ever run.

The sum is one more entry of the model's metadata, `sha256` of all bytes before it: fields of a protobuf message may be
appended, so the file stays a model that any ONNX program opens. ONNX Runtime itself takes flipped bits for weights.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from seqrec.errors import UserError

_HEAD = b"\x72\x4a\x0a\x06sha256\x12\x40"  # ModelProto's field 14 of 74 bytes: a key of 6, a value of 64
_SEAL_BYTES = len(_HEAD) + 64
_MOST_BYTES = (1 << 31) - 1  # of a protobuf message


def sealed(model: bytes) -> bytes:
    """Return a serialised model with its check sum."""
    return model + _HEAD + hashlib.sha256(model).hexdigest().encode()


def read_sealed(path: Path) -> bytes:
    """Read a model that was written with its check sum, the sum included.

    Raises:
        UserError: the file cannot be read, is none that `seqrec export` wrote, or is damaged.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise UserError(f"{path}: is no file; give a .onnx file that `seqrec export` wrote")
        if size > _MOST_BYTES:
            raise UserError(f"{path}: has {size:,} bytes, more than a .onnx file can have; export it again")
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path, or write it with `seqrec export RUN`") from None
    except UserError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UserError(f"{str(path)!r}: cannot be read ({error}); check the path and its permissions") from None
    if data[-_SEAL_BYTES:-64] != _HEAD:
        raise UserError(f"{path}: is cut short, or no model that `seqrec export` wrote; copy or export it again")
    if sealed(data[:-_SEAL_BYTES])[-64:] != data[-64:]:
        raise UserError(f"{path}: is damaged, or another program has changed it; copy or export it again")
    return data
