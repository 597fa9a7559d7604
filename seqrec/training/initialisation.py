"""Fine-tuning (`init_from=RUN`): a recogniser starts from the weights of another run, whose alphabet may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.text import Text
from torch import Tensor

from seqrec.checkpoint import KEY, PREFIX, Parts, read_checkpoint
from seqrec.errors import UserError
from seqrec.parts import Tokenizer
from seqrec.progress import console
from seqrec.run_folder import RunFolder
from seqrec.share import build, constructor_defaults

_MODALITIES = {1: "audio", 6: "ink"}  # by the channels of their signals
_STATISTICS = "frontend.normalisation."
_WHOLE = ("frontend.", "encoder.")  # taken as they are, or not at all


@dataclass(frozen=True)
class Initialisation:
    """What a recogniser has taken from a checkpoint."""

    checkpoint: str
    weights: int  # tensors that came from there, whole or in part
    fresh: tuple[str, ...]  # weights that the checkpoint does not have
    shared_symbols: int  # the rows of the head that came from there, besides the blank's
    new_symbols: tuple[str, ...]  # their rows start afresh
    left_symbols: tuple[str, ...]  # the checkpoint knows them, the new alphabet does not
    frontend_differs: tuple[str, ...]  # options of the front-end, such as "frontend.hop_ms=10, there 12.5"

    def __str__(self) -> str:
        words = f"started from {self.checkpoint}: {self.weights} weights taken, {self.shared_symbols} symbols known"
        for said, what in (("new", self.new_symbols), ("left", self.left_symbols), ("fresh", self.fresh)):
            if what:
                words += f", {len(what)} {said} ({' '.join('␣' if one == ' ' else one for one in what)})"
        if self.frontend_differs:
            words += f"; the front-end is another: {', '.join(self.frontend_differs)}"
        return words


@torch.no_grad()
def initialise(parts: Parts, path: Path) -> Initialisation:
    """Put a checkpoint's weights into the recogniser of `parts`.

    Front-end statistics (unless this run alone fits them) and the encoder are taken whole. Of the head,
    the rows of the blank and of the symbols that both alphabets have are taken; the other rows stay as they are.

    Raises:
        UserError: `path` is no checkpoint of ours, or its encoder or what it reads is another; nothing is taken then.
    """
    checkpoint = read_checkpoint(path)
    about = checkpoint[KEY]
    given = {k.removeprefix(PREFIX): v for k, v in checkpoint["state_dict"].items() if k.startswith(PREFIX)}
    wanted = parts.recognizer.state_dict()
    _check_modality(path, about["config"], parts)
    if _fits_statistics(parts.config) and not _fits_statistics(about["config"]):
        given = {name: weight for name, weight in given.items() if not name.startswith(_STATISTICS)}
    _check_fits(path, given, wanted, about["config"], parts.config)
    tokenizer: Tokenizer = build({**about["config"]["text"], "symbols": about["symbols"]}, "text")
    old, new = _tokens(tokenizer), _tokens(parts.tokenizer)
    rows = [(token, old[symbol]) for symbol, token in new.items() if symbol in old]
    taken = set()
    for name, weight in wanted.items():
        if name not in given:
            continue
        if not name.startswith(_WHOLE) and (len(weight), len(given[name])) == (len(new), len(old)):
            to, origin = torch.tensor(rows).T
            weight[to] = given[name][origin]  # a row a token; shares its memory with the recogniser
        elif weight.shape == given[name].shape:
            weight.copy_(given[name])
        else:
            continue
        taken.add(name)
    return Initialisation(
        str(path),
        len(taken),
        tuple(name for name in wanted if name not in taken),
        len(rows) - 1,
        tuple(str(symbol) for symbol in new if symbol not in old),
        tuple(str(symbol) for symbol in old if symbol not in new),
        tuple(_differences("frontend", about["config"], parts.config)),
    )


def _tokens(tokenizer: Tokenizer) -> dict[str | None, int]:
    """Return the token of each symbol; None stands for the blank."""
    return {symbol: token for token, symbol in enumerate([None, *tokenizer.symbols])}


def _fits_statistics(config: Mapping[str, Any]) -> bool:
    """Tell whether a run fits its front-end's statistics; otherwise they are those that change nothing."""
    return bool(_completed(config["frontend"]).get("normalize", "global") == "global")


def _check_modality(path: Path, old: Mapping[str, Any], parts: Parts) -> None:
    """Refuse a recogniser of speech for ink, and the reverse."""
    there, here = build(old["reader"], "reader").num_channels, parts.reader.num_channels
    if there != here:
        reads = [_MODALITIES.get(channels, f"signals of {channels} channels") for channels in (there, here)]
        raise UserError(
            f"init_from={path}: that run reads {reads[0]}, this recipe {reads[1]}; give a run of {reads[1]}"
        )


def _check_fits(
    path: Path,
    given: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> None:
    """Refuse an encoder, or statistics, of other weights."""
    for name in dict.fromkeys((*wanted, *given)):
        there, here = (tuple(weights[name].shape) if name in weights else None for weights in (given, wanted))
        is_statistic = name.startswith("frontend.") and None not in (there, here)
        if there != here and (is_statistic or name.startswith("encoder.")):
            differences = [*_differences("encoder", old, new), *_differences("frontend", old, new)]
            raise UserError(
                f"init_from={path}: `{name}` has {_spell(there)} there and {_spell(here)} here "
                f"({'; '.join(differences) or 'the code is another'}); set these options as they are there"
            )


def _differences(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, now = (_completed(config[part]) for config in (old, new))
    for key in dict.fromkeys((*before, *now)):
        there, here = before.get(key), now.get(key)
        if there != here:
            yield f"{part}.{key}={here}, there {there}"


def _completed(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part with the options that its class had not yet when the config was written."""
    return {**(constructor_defaults(str(part.get("_target_"))) or {}), **part}


def _spell(shape: tuple[int, ...] | None) -> str:
    return "no weight of this name" if shape is None else f"the shape {shape}"


def start_from(path: Path, parts: Parts, run: RunFolder, is_first_rank: bool) -> None:
    """Initialise the recogniser of `parts`, say what was taken and write it into the run's environment.json."""
    taken = initialise(parts, path)
    if is_first_rank:
        console.print(Text(str(taken)), soft_wrap=True)
        run.add_to_environment("init_from", asdict(taken))
