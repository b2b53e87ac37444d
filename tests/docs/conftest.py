"""Makes `story` and `servers` importable: in pytest's import mode a test sees no sibling."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "integrations/penstock_s3")]
