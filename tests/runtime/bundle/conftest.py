"""Makes `projects` importable: in pytest's import mode a test sees no sibling."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
