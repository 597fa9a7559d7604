"""The command `seqrec`: finds the verb's own file and turns a user's mistakes into one sentence."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from seqrec.allocator import bound_caches, keep_memory
from seqrec.errors import UserError, did_you_mean
from seqrec.version import __version__

VERBS = {
    "recipes": "list the recipes there are",
    "prepare": "download or read a recipe's corpus; write manifests and tokens",
    "check": "look for everything wrong with a recipe's data, or a manifest's, before training",
    "train": "train a recipe, then score it on its test split",
    "resume": "go on with a run that was interrupted",
    "evaluate": "score a run: WER and CER of a split or a manifest",
    "transcribe": "turn recordings or inks into text with a run",
    "align": "find when each word and character of known texts is said or written",
    "lm": "estimate a language model from a recipe's training text, or a text of yours",
    "tune": "find the weights of a language model with the least error rate on dev",
    "compare": "tell whether one run is better than another by more than chance",
    "score": "score the output of any system: text, trn, ctm or JSONL files",
    "export": "write a run as an ONNX file, which recognises without PyTorch",
    "bench": "measure how fast training, transcribing, decoding and reading data go here",
}
_TRAINING = ("train", "resume")
_DISK = {
    errno.ENOSPC: "no space is left; free some, or write elsewhere (data_dir=, hydra.run.dir=)",
    errno.EDQUOT: "the disk quota is used up; free some space, or write elsewhere (data_dir=, hydra.run.dir=)",
    errno.EACCES: "permission is denied; write elsewhere (data_dir=, hydra.run.dir=) or change the permission",
    errno.EPERM: "the operation is not permitted; write elsewhere (data_dir=, hydra.run.dir=)",
    errno.EROFS: "the disk is read-only; write elsewhere (data_dir=, hydra.run.dir=)",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another place (data_dir=, hydra.run.dir=)",
}


def help_text() -> str:
    """Return what `seqrec --help` prints."""
    verbs = "\n".join(f"  {name:<12}{line}" for name, line in VERBS.items())
    return f"""seqrec {__version__}: speech and handwriting to text, by BiLSTM and CTC

usage: seqrec VERB ...

{verbs}

  seqrec VERB --help     how a verb is used
  seqrec --version       the version

Start here: seqrec train synth/ink
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the verb of the command line; exit with 2 and one sentence where the user can mend what is wrong."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("--help", "-h", "help"):
        print(help_text(), end="")
        return
    if words[0] == "--version":
        print(__version__)
        return
    quiet_logs()
    try:
        _run(words[0], words[1:])
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has left
        sys.exit(1)
    except OSError as error:
        if error.errno is None:
            raise
        reason = _DISK.get(error.errno, f"{error.strerror}; choose another place or name")
        _fail(f"{error.filename or 'writing'}: {reason}")
    except KeyboardInterrupt:
        print("seqrec: interrupted", file=sys.stderr)
        sys.exit(130)


def _run(verb: str, words: list[str]) -> None:
    if verb not in VERBS:
        raise UserError(f"`{verb}` is no verb of seqrec{did_you_mean(verb, VERBS)}")
    if verb in _TRAINING:
        keep_memory()
    else:
        bound_caches()
    importlib.import_module(f"seqrec.cli.{verb}").main(words)


def _fail(message: str) -> None:
    if "Original Traceback" in message:  # from a worker process of the data loader: the sentence comes last
        message = message.strip().splitlines()[-1].partition("UserError: ")[2]
    print(f"seqrec: {message}", file=sys.stderr)
    sys.exit(2)


def quiet_logs() -> None:
    """Show our own warnings as sentences, and leave the libraries' hints on tuning them out."""
    logging.basicConfig(format="seqrec: %(message)s", level=logging.WARNING, stream=sys.stderr)
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", module="lightning|pytorch_lightning|torch.utils|torch.jit")
