"""A line is printed when a kernel of ours compiles, once, and when nothing does, none."""

from __future__ import annotations

from types import FunctionType

import pytest
from numba import njit

from seqrec.lm import compilation
from seqrec.lm.compilation import compilation_told


def kernel(module: str) -> FunctionType:
    def one_more(number: int) -> int:
        return number + 1

    one_more.__module__ = module
    compiled: FunctionType = njit(one_more)
    return compiled


def test_said_once_and_of_our_kernels_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "_TELLER", compilation._Teller())
    foreign, ours, another = kernel("other.library"), kernel("seqrec.ctc.some"), kernel("seqrec.lm.some")
    with compilation_told():
        assert foreign(1) == 2
    assert capsys.readouterr().err == ""
    with compilation_told(), compilation_told():
        assert ours(1) == 2
    assert "compiling the beam search" in capsys.readouterr().err
    with compilation_told():
        assert ours(1) == another(1) == 2
    assert capsys.readouterr().err == ""


def test_not_said_outside(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "_TELLER", compilation._Teller())
    with compilation_told():
        pass
    assert kernel("seqrec.ctc.some")(1) == 2
    assert capsys.readouterr().err == ""
