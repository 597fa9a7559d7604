"""Hold a run against its recipe's bar: python3 .ci/check_bar.py RUN cer 0.10 SECONDS"""

from __future__ import annotations

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    run, rate, bar, seconds = Path(sys.argv[1]).resolve(), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    found, took = metrics["test"][rate], metrics["train"]["seconds"]
    print(
        f"{run}: test {rate} {100 * found:.2f} % (bar {100 * bar:.2f} %), trained in {took:.0f} s (bar {seconds:.0f} s)"
    )
    sys.exit(found > bar)  # time is shown, not held against a run: machines differ, and are shared
