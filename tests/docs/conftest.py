"""Makes `story` and `servers` importable: in pytest's import mode a test sees no sibling."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
THERE = HERE.parent / "integrations"
sys.path += [str(HERE), str(THERE / "penstock_s3"), str(THERE / "penstock_kubeflow")]
sys.path += [str(THERE / "penstock_kubeflow/standin")]
