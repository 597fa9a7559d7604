"""Where conf/ and recipes/ lie, and how a part named in them is built.

A part is a mapping with a `_target_`, the dotted path of its class. The constructor's signature is the schema: defaults
that YAML leaves out come from it, and what it does not know is an error. Only classes of an explicit list of packages
are ever built, since a checkpoint brings its config along.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from seqrec.errors import UserError, did_you_mean

PACKAGE = Path(__file__).parent
ALLOWED = (
    "seqrec",
    "torch.optim",
    "lightning.pytorch.Trainer",
    "lightning.pytorch.trainer",
    "lightning.pytorch.loggers",
    "lightning.pytorch.callbacks",
    "schedulefree",
)
PACKAGES_VARIABLE = "SEQREC_PACKAGES"  # names of the user's own packages, separated by commas


def share_folder(name: Literal["conf", "recipes"]) -> Path:
    """Return the folder of conf/ or recipes/: inside an installed wheel, or beside the package in a checkout."""
    installed = PACKAGE / "_share" / name
    return installed if installed.is_dir() else PACKAGE.parent / name


def allowed_packages() -> tuple[str, ...]:
    """Return the packages whose classes may be built: our own, two of our libraries, and those the user names."""
    named = os.environ.get(PACKAGES_VARIABLE, "")
    return ALLOWED + tuple(name.strip() for name in named.split(",") if name.strip())


def build(part: Mapping[str, Any], where: str, /, **extra: Any) -> Any:
    """Construct the class that `part` names, from its keys and `extra`.

    Args:
        part: a mapping with `_target_`; its other keys are the constructor's arguments.
        where: the key of the config the part stands under, for messages.
        extra: arguments that no config can hold, such as the parameters of an optimiser.

    Raises:
        UserError: the target is not allowed or not there, or an argument is unknown, missing or of the wrong type.
    """
    target = _load_class(part.get("_target_"), where)
    for key in part.keys() & extra.keys():
        raise UserError(f"`{where}.{key}` is set by seqrec itself; leave it out")
    arguments = {**{key: value for key, value in part.items() if key != "_target_"}, **extra}
    _check_arguments(target, arguments, where, hidden=extra.keys())
    try:
        return target(**arguments)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    except (TypeError, IndexError) as error:
        if _inside(target.__module__, ["seqrec"]):
            raise  # a bug of ours; others' classes meet a user's values here first
        raise UserError(f"{where}: {target.__name__} does not take these values ({error})") from error


def _load_class(target: object, where: str) -> type:
    if not isinstance(target, str) or "." not in target:
        raise UserError(
            f"{where}._target_={target!r} is not the dotted path of a class, such as seqrec.ctc.greedy.GreedyDecoder"
        )
    packages = allowed_packages()
    if not _inside(target, packages):
        raise UserError(
            f"{where}._target_={target} lies outside the allowed packages {', '.join(packages)}; "
            f"if you trust it, name its package in the environment variable {PACKAGES_VARIABLE}"
        )
    module_name, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{where}._target_={target} cannot be imported ({error}); mend its spelling") from error
    # A path such as seqrec.share.os.system walks through an allowed module to a stranger.
    if not isinstance(found, type) or not _inside(found.__module__, packages):
        raise UserError(f"{where}._target_={target} is not a class of the allowed packages {', '.join(packages)}")
    if getattr(found, "_is_protocol", False):
        raise UserError(f"{where}._target_={target} is only an interface; name a class that offers it")
    return found


def _inside(name: str, packages: Iterable[str]) -> bool:
    return any(name.startswith(package + ".") or name == package for package in packages)


def _check_arguments(target: type, arguments: Mapping[str, Any], where: str, hidden: Iterable[str]) -> None:
    parameters = inspect.signature(target).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    try:
        hints = typing.get_type_hints(target.__init__)  # type: ignore[misc]
    except (NameError, TypeError):
        hints = {}
    for name, value in arguments.items():
        if name not in parameters and not open_ended:
            raise UserError(f"`{where}.{name}` is no option of {target.__name__}{did_you_mean(name, parameters)}")
        if name in hints and name not in hidden and not _fits(value, hints[name]):
            raise UserError(f"`{where}.{name}={value}` ({type(value).__name__}) is not {_spell(hints[name])}")
    for name, parameter in parameters.items():
        if (
            parameter.default is parameter.empty
            and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            and name not in arguments
        ):
            raise UserError(f"`{where}.{name}` is missing; {target.__name__} has no default for it")


_PLAIN = (int, float, str, bool, type(None))


def _fits(value: object, hint: Any) -> bool:
    """Tell whether a config's value is of an annotation's type; annotations other than plain data fit anything."""
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        plain = [choice for choice in choices if choice in _PLAIN or typing.get_origin(choice)]
        return any(_fits(value, choice) for choice in plain or choices)
    if origin is Literal:
        return value in choices
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, bool):
        return isinstance(value, hint)
    if origin in (list, tuple) and choices:
        return isinstance(value, (list, tuple)) and all(_fits(item, choices[0]) for item in value)
    if origin is Sequence:
        return isinstance(value, Sequence)
    return True


def _spell(hint: Any) -> str:
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(map(str, choices))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_spell(choice) for choice in choices)
    if origin in (Sequence, list, tuple):
        return "a list"
    names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(hint, str(hint))


@cache
def constructor_defaults(target: str) -> Mapping[str, Any] | None:
    """Return the options of one of our own classes, read from its source, so that composing a config imports nothing.

    Arguments without a default are absent: they are given by YAML, or by code. None where `target` is no class of ours.
    """
    found = _class_source(target)
    if found is None:
        return None
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            names = [argument.arg for argument in node.args.args]
            first = len(names) - len(node.args.defaults)
            return _literals(dict(zip(names[first:], node.args.defaults, strict=True)))
    fields = (node for node in found.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name))
    return _literals({node.target.id: node.value for node in fields if node.value})  # type: ignore[union-attr]


def _literals(defaults: Mapping[str, ast.expr]) -> dict[str, Any]:
    """Evaluate the defaults that are plain data; the others are no options of a config."""
    values = {}
    for name, expression in defaults.items():
        try:
            value = ast.literal_eval(expression)
        except ValueError:
            continue
        values[name] = list(value) if isinstance(value, tuple) else value
    return values


def _class_source(target: str) -> ast.ClassDef | None:
    module_name, _, name = target.rpartition(".")
    if not module_name.startswith("seqrec."):
        return None
    path = PACKAGE.joinpath(*module_name.split(".")[1:]).with_suffix(".py")
    if not path.is_file():
        return None
    classes = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef))
    return next((node for node in classes if node.name == name), None)
