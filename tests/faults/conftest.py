"""Makes the harness of this folder importable, and what it takes from those beside it."""

import sys
from pathlib import Path

here = Path(__file__).parent
sys.path += [str(here), str(here.parent / "artifacts"), str(here.parent / "runtime")]
