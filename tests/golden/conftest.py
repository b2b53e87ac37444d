"""Makes `golden_steps` importable, under the name that the golden store knows it by."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
