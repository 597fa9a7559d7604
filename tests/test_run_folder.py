from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seqrec.errors import UserError
from seqrec.run_folder import RunFolder, git_state, open_run, part_name, updated


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_git_state_knows_the_commit_and_changes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert git_state(tmp_path) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "changed": False}
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "changed": True}


def test_an_installed_package_is_not_taken_for_the_checkout_around_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    inside = tmp_path / "venv" / "site-packages"
    inside.mkdir(parents=True)
    assert git_state(inside) is None


def test_a_part_is_named_after_its_module() -> None:
    assert part_name({"_target_": "seqrec.ctc.greedy.GreedyDecoder"}) == "greedy"


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\0"])
def test_a_damaged_config_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UserError, match=r"config\.yaml"):
        open_run(tmp_path).read_config()


def test_a_folder_without_config_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder"):
        open_run(tmp_path)
    assert RunFolder(tmp_path).evaluation("test", "greedy") == tmp_path / "evaluation" / "test-greedy"


def test_distortion_is_left_out_of_the_deltas_of_old_runs_alone() -> None:
    deltas = {"_target_": "seqrec.ink.deltas.StrokeDeltas", "step": 0.05}
    own = {"frontend": {"_target_": "mine.StrokeDeltas", "distortion": 0.1}}
    assert updated({"frontend": {**deltas, "distortion": 0.1}, "seed": 1}) == {"frontend": deltas, "seed": 1}
    for config in (own, {"frontend": deltas}, {"frontend": None}, {}):
        assert updated(config) == config
