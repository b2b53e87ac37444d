"""One call of a plan in a process of its own: `python -m penstock.runtime.entrypoint`.

Everything it needs is in its command line: which run, which call, the digest of the plan, and the
stack as it was written, whose references are resolved here. With `--record` this is a pod: another
machine, where the run was not started. Exit codes: 0 done, 1 the step failed, 128 and the signal's
number if it was stopped, else the code of the error (see `penstock.errors`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.lazy import lazy
from penstock.runtime.elsewhere import told

if TYPE_CHECKING:
    from penstock.runtime.elsewhere import pod, single
else:
    pod = lazy("penstock.runtime.elsewhere.pod")  # the one of them that this process is to be
    single = lazy("penstock.runtime.elsewhere.single")


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    given = _parser().parse_args(args)
    return pod.main(told.Told.of(given)) if given.record else single.main(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="penstock.runtime.entrypoint", description=__doc__)
    for name in ("run", "plan", "stack"):
        parser.add_argument(f"--{name}", required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--call")
    what.add_argument("--end", action="store_true")
    for name in ("job", "record", "code", "store", "python"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--here", action="store_true")
    for name in ("attempt", "parent", "tell"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--testaments", type=int, nargs="*", default=())
    for name in ("directory", "resumed"):
        parser.add_argument(f"--{name}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
