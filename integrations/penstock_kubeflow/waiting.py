"""Waiting: retries and deadlines, as Kubeflow's engine understands them."""

from __future__ import annotations

import math
from typing import Any, Final

from penstock.model.options import StepOptions
from penstock.model.retry import Retry
from penstock_kubeflow.settings import Settings

START: Final = 600
"""Seconds for a pod to start before a `timeout` counts: the image comes, the code, the packages."""

WHOLE: Final = 30 * 24 * 3600
"""Seconds. What Kubeflow calls the longest wait is for its engine the time that all attempts may
take together: after that there is no further one (Argo Workflows, `backoff.maxDuration`; 0 if it is
left out). So it is longer than anything."""


def retry_policy(retry: Retry) -> dict[str, Any] | None:
    """The engine takes whole seconds and whole factors, and knows no longest wait: where the waits
    would grow beyond it, they do not grow."""
    if not retry.times:
        return None
    delay, factor = retry.delay, round(retry.factor)
    if delay and factor > 1 and _last(retry, factor) > max(retry.longest, delay):
        delay, factor = max(retry.longest, delay), 1
    return {
        "maxRetryCount": retry.times,
        "backoffDuration": f"{math.ceil(delay)}s",
        "backoffFactor": factor,
        "backoffMaxDuration": f"{WHOLE}s",
    }


def _last(retry: Retry, factor: int) -> float:
    """Seconds before the last attempt."""
    return math.inf if retry.times > 1000 else retry.delay * float(factor) ** (retry.times - 1)


def deadline(made: Settings, options: StepOptions, items: int | None = 1) -> int | None:
    """Seconds that a pod may live in which so many items run one after the other. Of a number that
    nobody knows there is none: each item has its own end."""
    if made.deadline is not None:
        return math.ceil(made.deadline)
    if options.timeout is None or items is None:
        return None
    return math.ceil(options.timeout * items) + START


def deadline_of_end(made: Settings) -> int | None:
    """That of the pod that ends a run, which is no step."""
    return None if made.deadline is None else math.ceil(made.deadline)
