"""Globals by way of functions and frames, and names that others import."""

import logging.config
import pydoc
import sys
from typing import Any

from penstock import step
from wild.framing import held

RATE = 1


@step
def of_a_frame() -> int:
    return int(sys._getframe().f_globals["RATE"])


@step
def of_a_function() -> int:
    return int(held.__globals__["HELD"])


@step
def locates() -> int:
    located: Any = pydoc.locate("wild.plugins.alpha.size")
    return int(located())


@step
def configures() -> int:
    configurator: Any = logging.config.BaseConfigurator({})
    return int(configurator.resolve("wild.plugins.beta.size")())
