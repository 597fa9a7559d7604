"""torchaudio with and without its native extension: made-up packages in fresh processes, and the real one here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import seqrec
from seqrec.speech.portable_torchaudio import torchaudio

LOADS = """
_IS_TORCHAUDIO_EXT_AVAILABLE = True
"""
PROGRAM = """
from seqrec.speech import portable_torchaudio as portable
print(portable.HAS_EXTENSION, portable.torchaudio.extension.__doc__, portable.torchaudio.functional.resample())
"""


def run_with(folder: Path, extension: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run `program` beside a torchaudio whose `_extension.py` reads `extension`."""
    package = folder / "torchaudio"
    package.mkdir()
    (package / "__init__.py").write_text("from . import _extension as extension\nfrom torchaudio import functional\n")
    (package / "functional.py").write_text("from . import _extension\ndef resample():\n    return 'resampled'\n")
    (package / "_extension.py").write_text(extension)
    path = f"{folder}:{Path(seqrec.__file__).parents[1]}"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_extension_that_loads_is_left_alone(tmp_path: Path) -> None:
    result = run_with(tmp_path, '"""Native."""\n' + LOADS)
    assert (result.stdout, result.stderr) == ("True Native. resampled\n", "")


@pytest.mark.parametrize("error", ["OSError", "RuntimeError"])
def test_an_extension_that_does_not_load_is_stood_in_for(tmp_path: Path, error: str) -> None:
    result = run_with(tmp_path, f"raise {error}('built for another CUDA')")
    assert result.stderr == ""
    assert result.stdout == "False Says that the native extension is not there. resampled\n"


def test_what_needs_the_extension_says_so(tmp_path: Path) -> None:
    program = """
from seqrec.speech.portable_torchaudio import torchaudio

@torchaudio.extension.fail_if_no_align
def forced_align():
    pass

forced_align()
"""
    result = run_with(tmp_path, "raise OSError('no library')", program)
    assert "RuntimeError: forced_align needs torchaudio's native extension" in result.stderr


@pytest.mark.parametrize("error", ["ImportError", "SyntaxError"])
def test_other_failures_are_not_hidden(tmp_path: Path, error: str) -> None:
    result = run_with(tmp_path, f"raise {error}('torchaudio itself is broken')")
    assert f"{error}: torchaudio itself is broken" in result.stderr


def test_the_real_one_works_here() -> None:
    time = torch.arange(800) / 8000
    tone = torch.sin(2 * torch.pi * 440 * time)
    found = torchaudio.functional.resample(tone, 8000, 16000)
    expected = torch.sin(2 * torch.pi * 440 * torch.arange(1600) / 16000)
    torch.testing.assert_close(found[100:-100], expected[100:-100], atol=0.01, rtol=0)
