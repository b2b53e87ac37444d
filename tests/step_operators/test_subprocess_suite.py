"""The built-in step operator passes the suite that every flavor must pass."""

import pytest

from penstock import SubprocessStepOperator
from penstock.stack import StepOperator
from penstock.testing import StepOperatorTests


class TestSubprocessStepOperator(StepOperatorTests):
    @pytest.fixture
    def operator(self) -> StepOperator:
        return SubprocessStepOperator()
