"""Print the commands of a README, as written: python3 .ci/readme_commands.py README.md ["Section"]"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def commands(text: str, section: str | None = None) -> list[str]:
    """Return the ```bash blocks of a Markdown text, or of one of its sections."""
    if section is not None:
        parts = re.split(r"^## ", text, flags=re.MULTILINE)
        (text,) = [part for part in parts if part.startswith(section + "\n")]
    return re.findall(r"^```bash\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    print("\n".join(commands(Path(sys.argv[1]).read_text(encoding="utf-8"), *sys.argv[2:3])))
