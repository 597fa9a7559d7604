"""Finding recipes: those that come along by name, a user's own by path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from seqrec.errors import UserError, did_you_mean
from seqrec.share import share_folder


@dataclass(frozen=True)
class RecipeFile:
    """Where a recipe's YAML lies, in Hydra's terms."""

    folder: Path
    name: str  # relative to the folder, without .yaml


def list_recipes() -> dict[str, Path]:
    """Return the recipes that come along: name, as in `fsdd/bilstm`, to file."""
    root = share_folder("recipes")
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.glob("*/*.yaml"))}


def find_recipe(name: str) -> RecipeFile:
    """Return the file of a recipe, given by name or by path.

    Raises:
        UserError: there is none.
    """
    if name.endswith(".yaml"):
        path = Path(name).absolute()
        if not path.is_file():
            raise UserError(f"recipe file {name} does not exist; check the path")
        _check_recipe(path, name)
        return RecipeFile(path.parent, path.stem)
    recipes = list_recipes()
    if Path(name).suffix or Path(name).exists():
        raise UserError(f"`{name}` is no recipe: a recipe of your own is a file whose name ends in .yaml")
    if name not in recipes:
        raise UserError(
            f"`{name}` is no recipe{did_you_mean(name, recipes)} (a recipe of your own is a path that ends in .yaml)"
        )
    return RecipeFile(share_folder("recipes"), name)


def _check_recipe(path: Path, name: str) -> None:
    """Refuse what Hydra would answer with a traceback or a riddle."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"recipe {name} is not YAML in UTF-8: {' '.join(str(error).split())}; mend it") from None
    if not isinstance(content, dict) or "defaults" not in content:
        raise UserError(f"recipe {name} has no `defaults`; begin it with `defaults: [/train, ..., _self_]`")
    if path.stem == "train":
        raise UserError(f"recipe {name}: `train` is the name of what recipes inherit; give the file another name")
