"""The allocator's settings are made, and can be switched off."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from seqrec.allocator import keep_memory
print(keep_memory())
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    bytearray(48 << 20)
before = faults()
for _ in range(20):
    bytearray(48 << 20)
print(faults() - before)
"""


def page_faults(**environment: str) -> tuple[str, int]:
    """Return what keep_memory said, and the pages that twenty blocks of 48 MB took from the system."""
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    said, faults = output.stdout.split()
    return said, int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_freed_memory_is_used_again() -> None:
    said, faults = page_faults(MALLOC_ARENA_MAX="1")
    assert said == "True"
    assert faults < 100
    said, faults = page_faults(SEQREC_KEEP_MEMORY="0")
    assert said == "False"
    assert faults > 1000
