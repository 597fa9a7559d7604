"""`seqrec resume RUN`: go on with a run from its last checkpoint, to the same end as if it had never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqrec.errors import UserError

USAGE = """usage: seqrec resume RUN

Goes on from RUN/checkpoints/last.ckpt, or from the start where there is none yet, then scores the test split.
"""


def main(words: Sequence[str]) -> None:
    """Resume the run folder named in `words`."""
    if len(words) != 1 or words[0] in ("-h", "--help"):
        if words and words[0] not in ("-h", "--help"):
            raise UserError(
                f"resume takes one run folder and nothing else, not {' '.join(words)}; a run's config is its own"
            )
        print(USAGE, end="")
        return
    from seqrec.cli.prepare import prepare_shown
    from seqrec.cli.ranks import check_ranks
    from seqrec.cli.training_run import train_run
    from seqrec.run_folder import open_run

    run = open_run(Path(words[0]).absolute())
    if run.metrics.is_file():
        raise UserError(
            f"{run.path} has ended, its scores are in metrics.json; train longer with `seqrec train RECIPE "
            f"init_from={run.path}`"
        )
    config = run.read_config(to_train=True)
    check_ranks(config["trainer"])
    corpus = prepare_shown(config)
    train_run(config, run, corpus.folder, resume=run.last.is_file())
