"""Freed memory is kept and caches are bounded; both can be switched off."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys

import pytest
import torch

from seqrec.allocator import VARIABLE, bound_caches

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

GROWTH = """
import ctypes, gc, random
from seqrec.allocator import keep_memory
keep_memory()
import torch

class MallInfo(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = MallInfo

def in_use():
    gc.collect()
    found = mallinfo2()
    return found.uordblks + found.hblkhd

layer, head = torch.nn.LSTM(16, 64, batch_first=True), torch.nn.Linear(64, 50)
shapes = [(length, size) for size in range(8, 16) for length in range(20, 60)]
random.Random(0).shuffle(shapes)
for step, (length, size) in enumerate(shapes[:80]):
    with torch.autocast("cpu", torch.bfloat16):
        outputs = head(layer(torch.randn(size, length, 16))[0])
    outputs.float().sum().backward()
    if step == 39:
        before = in_use()
print(in_use() - before)
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


def growth(**environment: str) -> int:
    """Return the bytes that forty training steps over batches of new shapes leave behind."""
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", VARIABLE)
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", GROWTH]
    done = subprocess.run(command, env={**inherited, **environment}, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_training_steps_leave_nothing_behind() -> None:
    assert growth(OMP_NUM_THREADS="1") < 1_000_000
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():  # elsewhere torch multiplies in another way, and keeps nothing
        assert growth(OMP_NUM_THREADS="1", SEQREC_KEEP_MEMORY="0") > 4_000_000


def test_a_capacity_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    monkeypatch.delenv("LRU_CACHE_CAPACITY", raising=False)
    bound_caches()
    assert (os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"], os.environ["LRU_CACHE_CAPACITY"]) == ("7", "16")
    monkeypatch.delenv("LRU_CACHE_CAPACITY")
    monkeypatch.setenv(VARIABLE, "0")
    bound_caches()
    assert "LRU_CACHE_CAPACITY" not in os.environ


def turns_of_waiting(**environment: str) -> int:
    """Return how often GNU's OpenMP says that a waiting thread looks before it sleeps."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    program = "from seqrec.allocator import keep_memory; keep_memory(); import torch"
    environment = {**inherited, "OMP_DISPLAY_ENV": "verbose", **environment}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    (count,) = set(re.findall(r"GOMP_SPINCOUNT = '(\w+)'", done.stderr))
    return 1 << 63 if count == "INFINITE" else int(count)


@pytest.mark.skipif(sys.platform != "linux", reason="needs GNU's OpenMP")
def test_waiting_threads_soon_sleep() -> None:
    assert turns_of_waiting() == 5000
    assert turns_of_waiting(OMP_WAIT_POLICY="active") > 1_000_000
    assert turns_of_waiting(GOMP_SPINCOUNT="1234") == 1234
