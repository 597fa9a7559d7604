"""The house's floors: who may import whom, and which libraries; read from the source, in functions as on top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import seqrec

PACKAGE = Path(seqrec.__file__).parent
FLOORS = {  # every module and folder of seqrec/ stands here; it imports from its own floor and those below
    5: {"__init__", "__main__", "cli"},
    4: {
        "check",
        "training",
        "evaluation",
        "transcriber",
        "report",
        "comparison",
        "tuning",
        "long_signals",
        "source_batches",
        "engine",
        "export",
        "benchmark",
    },
    3: {"data", "recognizer", "checkpoint", "run_folder", "timing"},
    2: {"speech", "ink", "corpora", "encoders", "augmentation", "exported"},
    1: {"ctc", "lm", "metrics", "manifest", "manifest_index", "normalisation", "parts", "formats"},
    0: {"sequence", "text", "share", "errors", "progress", "allocator", "transcript", "version"},
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
STRANGERS = {"speech", "ink", "corpora", "encoders", "augmentation"}  # conf/ joins them, never an import


@dataclass(frozen=True)
class Import:
    """A dotted name that a file imports."""

    file: str  # relative to seqrec/
    line: int
    name: str

    def __str__(self) -> str:
        return f"seqrec/{self.file}:{self.line}: imports {self.name}"

    @property
    def importer(self) -> str:
        return self.file.split("/")[0].removesuffix(".py")

    @property
    def room(self) -> str:
        """The module or folder of seqrec/ it imports; `__init__` for the package itself."""
        names = self.name.split(".")
        is_room = len(names) > 1 and ((PACKAGE / names[1]).is_dir() or (PACKAGE / f"{names[1]}.py").is_file())
        return names[1] if is_room else "__init__"


def imported_names(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Yield what one syntax node imports, `importlib.import_module("...")` included."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in ("import_module", "__import__"):
            yield str(node.args[0].value)


def imports_of(source: str, file: str) -> list[Import]:
    package = ["seqrec", *Path(file).parent.parts]
    nodes = (node for node in ast.walk(ast.parse(source)) if hasattr(node, "lineno"))
    return [Import(file, node.lineno, name) for node in nodes for name in imported_names(node, package)]


@cache
def all_imports() -> list[Import]:
    files = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
    return [one for file, path in files.items() for one in imports_of(path.read_text(encoding="utf-8"), file)]


def within(imports: list[Import]) -> list[Import]:
    return [one for one in imports if one.name.split(".")[0] == "seqrec"]


def importers(*libraries: str) -> set[str]:
    return {one.file for one in all_imports() if one.name.split(".")[0] in libraries}


def upwards(imports: list[Import]) -> list[str]:
    return [
        f"{one} from floor {FLOOR[one.importer]} up to {FLOOR[one.room]}"
        for one in within(imports)
        if FLOOR[one.room] > FLOOR[one.importer]
    ]


def between_strangers(imports: list[Import]) -> list[str]:
    return [str(one) for one in within(imports) if {one.importer, one.room} <= STRANGERS and one.importer != one.room]


def test_every_module_has_its_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    new, gone = sorted(rooms - FLOOR.keys()), sorted(FLOOR.keys() - rooms)
    assert not new, f"seqrec/ has {new}, which no floor names: put them into FLOORS, as low as their imports allow"
    assert not gone, f"FLOORS names {gone}, which seqrec/ does not have: take them out"


def test_imports_go_down_or_sideways() -> None:
    assert len(within(all_imports())) > 100
    assert not upwards(all_imports())


def test_modalities_corpora_and_encoders_do_not_know_one_another() -> None:
    assert not between_strangers(all_imports())


def test_only_training_knows_lightning() -> None:
    allowed = {"data/datamodule.py", "cli/train.py", "cli/training_run.py"}
    found = {file for file in importers("lightning", "pytorch_lightning") if not file.startswith("training/")}
    assert "training/fit.py" in importers("lightning")
    assert found <= allowed


def test_only_one_file_knows_torchaudio() -> None:
    assert importers("torchaudio") == {"speech/portable_torchaudio.py"}


def test_only_the_command_knows_hydra() -> None:
    found = importers("hydra", "omegaconf")
    assert "cli/compose.py" in found
    assert {file for file in found if not file.startswith("cli/")} == set()


@pytest.mark.parametrize(
    ("source", "file", "wrong"),
    [
        ("from seqrec.data.survey import survey", "ctc/loss.py", ["up to 3"]),
        ("from seqrec import transcriber", "text/tokens.py", ["imports seqrec.transcriber from floor 0 up to 4"]),
        ("from seqrec import load", "data/dataset.py", ["up to 5"]),
        (
            "def f():\n    import seqrec.cli.main",
            "training/fit.py",
            ["seqrec/training/fit.py:2: imports seqrec.cli.main"],
        ),
        ("from ..data import survey", "speech/audio.py", ["imports seqrec.data.survey"]),
        ("from . import checkpoint", "parts.py", ["imports seqrec.checkpoint"]),
        ("import importlib\nimportlib.import_module('seqrec.training.fit')", "recognizer.py", ["up to 4"]),
        ("from seqrec.sequence import Features", "speech/audio.py", []),
        ("from seqrec.evaluation import evaluate", "transcriber.py", []),
    ],
)
def test_the_check_sees_every_way_to_import(source: str, file: str, wrong: list[str]) -> None:
    found = upwards(imports_of(source, file))
    assert len(found) == len(wrong)
    assert all(part in said for part, said in zip(wrong, found, strict=True))


def test_the_check_tells_strangers() -> None:
    assert between_strangers(imports_of("from seqrec.ink.deltas import StrokeDeltas", "corpora/synth/synth_ink.py"))
    assert not between_strangers(imports_of("from seqrec.ink.deltas import StrokeDeltas", "ink/reader.py"))
