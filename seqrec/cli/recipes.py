"""`seqrec recipes`: the recipes that come along, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from seqrec.cli.recipe_names import list_recipes

USAGE = """usage: seqrec recipes

Lists the recipes that come with seqrec. Train one with `seqrec train NAME`; a recipe of your own is a YAML file
anywhere: `seqrec train ./mine.yaml`.
"""


def main(words: Sequence[str]) -> None:
    """Print each recipe's name and what its first comment says."""
    if words:
        print(USAGE, end="")
        return
    recipes = list_recipes()
    width = max(map(len, recipes), default=0)
    for name, path in recipes.items():
        comments = (line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
        about = next((line[2:] for line in comments if "@package" not in line), "")
        print(f"{name:<{width}}  {about}")
