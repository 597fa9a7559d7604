"""The check sum of an exported model's file: nothing damaged gets past it, and it is still an ONNX model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from exported.exported_models import INK, random_parts, write_model

from seqrec.errors import UserError
from seqrec.exported.model import ExportedModel
from seqrec.exported.model_file import read_sealed, sealed


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(random_parts(INK), tmp_path_factory.mktemp("model") / "a.onnx")


def test_a_sealed_model_is_a_model(model: Path) -> None:
    opened = onnx.load(model)
    onnx.checker.check_model(opened)
    assert [entry.key for entry in opened.metadata_props] == ["seqrec", "sha256"]
    assert read_sealed(model) == model.read_bytes()


def test_every_cut_is_seen(model: Path, tmp_path: Path) -> None:
    data, path = model.read_bytes(), tmp_path / "cut.onnx"
    for size in [0, 1, 63, 64, 75, 76, 77, *np.linspace(78, len(data) - 1, 60).astype(int).tolist()]:
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match="cut short, or no model"):
            read_sealed(path)


def test_every_flipped_bit_is_seen(model: Path, tmp_path: Path) -> None:
    data, path = model.read_bytes(), tmp_path / "flipped.onnx"
    random = np.random.default_rng(0)
    for place in [*random.integers(0, len(data), 100).tolist(), *range(-76, 0)]:
        flipped = bytearray(data)
        flipped[place] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        with pytest.raises(UserError, match=r"flipped\.onnx: is (damaged|cut short)"):
            read_sealed(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "empty.onnx").write_bytes(b"")
    for name, says in (("folder", "is no file"), ("empty", "cut short"), ("absent", "no such file"), ("\0", "read")):
        with pytest.raises(UserError, match=says):
            read_sealed(tmp_path / f"{name}.onnx")


def test_text_that_is_not_utf8(model: Path, tmp_path: Path) -> None:
    path, data = tmp_path / "a.onnx", read_sealed(model)[:-76]
    for name in (b'"format"', b"log_probs"):
        assert name in data
        path.write_bytes(sealed(data.replace(name, b"\xff" * len(name))))
        with pytest.raises(UserError, match="not UTF-8"):
            ExportedModel(path)


def test_what_onnx_runtime_refuses_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    for data in (b"", b"no model", bytes(1000), b"\x08\x08\x3a\x04"):
        path.write_bytes(sealed(data))
        with pytest.raises(UserError, match=r"a\.onnx: ") as caught:
            ExportedModel(path)
        assert "\n" not in str(caught.value)
