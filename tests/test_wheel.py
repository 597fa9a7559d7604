"""The wheel, in an environment outside the repository: it carries conf/ and recipes/, composes, and trains."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that holds the wheel; its dependencies are those of this one, by a path file."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", ROOT, cwd=folder)
    venv.create(folder / "venv", with_pip=True)
    (wheel,) = (folder / "dist").glob("seqrec-*.whl")
    run(folder / "venv/bin/python", "-m", "pip", "install", "--no-deps", wheel, cwd=folder)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(ours) + "\n")
    return folder / "venv/bin"


def test_it_is_the_wheel_that_answers(environment: Path, tmp_path: Path) -> None:
    where = run(environment / "python", "-c", "import seqrec; print(seqrec.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment.parent)


def test_recipes_and_conf_come_along(environment: Path, tmp_path: Path) -> None:
    expected = {path.relative_to(ROOT / "recipes").with_suffix("").as_posix() for path in ROOT.glob("recipes/*/*.yaml")}
    listed = {line.split()[0] for line in run(environment / "seqrec", "recipes", cwd=tmp_path).splitlines()}
    assert listed == expected
    assert "hidden_size: 128" in run(environment / "seqrec", "train", "synth/ink", "--cfg", "job", cwd=tmp_path)


def test_it_trains_evaluates_and_transcribes(environment: Path, tmp_path: Path) -> None:
    small = [
        "corpus.num_train=40",
        "corpus.num_dev=4",
        "corpus.num_test=4",
        "encoder.hidden_size=8",
        "trainer.max_epochs=1",
    ]
    run(environment / "seqrec", "train", "synth/ink", *small, "hydra.run.dir=run", cwd=tmp_path)
    assert (tmp_path / "run/metrics.json").is_file()
    run(environment / "seqrec", "evaluate", "run", cwd=tmp_path)
    (tmp_path / "a.json").write_text('{"strokes": [[[0, 0], [3, 4]]]}')
    assert run(environment / "seqrec", "transcribe", "run", "a.json", cwd=tmp_path).startswith("a.json\t")
