"""The one place that imports torchaudio: with its native extension, or without where that cannot load.

The torchaudio wheel is built for one CUDA minor version. Beside a CPU-only torch its import raises OSError, beside
another CUDA RuntimeError. Its filter banks and resampling are pure Python and work all the same once a stand-in for
`torchaudio._extension` is there before the import.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn


def _import_torchaudio() -> ModuleType:
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _extension_stand_in()
        return importlib.import_module("torchaudio")


def _extension_stand_in() -> ModuleType:
    module = ModuleType("torchaudio._extension", "Says that the native extension is not there.")

    def fail_if_no_align(function: Callable[..., object]) -> Callable[..., NoReturn]:
        def fail(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"{function.__name__} needs torchaudio's native extension, which does not load here")

        return fail

    module._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    module._IS_ALIGN_AVAILABLE = False  # type: ignore[attr-defined]
    module.fail_if_no_align = fail_if_no_align  # type: ignore[attr-defined]
    module._load_lib = lambda _: False  # type: ignore[attr-defined]
    return module


torchaudio = _import_torchaudio()
HAS_EXTENSION: bool = sys.modules["torchaudio._extension"]._IS_TORCHAUDIO_EXT_AVAILABLE
