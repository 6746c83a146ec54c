"""Judge a run once more, from the evidence that it left: `python -m chaos.checker .evergreen/chaos-7/evidence.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from chaos.checker.judge import violations

if __name__ == "__main__":
    found = violations(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stdout.writelines(f"{violation}\n" for violation in found)
    sys.stdout.write(f"{len(found)} violations\n")
    sys.exit(1 if found else 0)
