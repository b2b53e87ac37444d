"""What `up` and `down` say of the components that they were for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.api.ending import say
from penstock.cli.output import print_json
from penstock.model.component import StackComponent
from penstock.stack.component import spoken


def said_of(
    components: Sequence[StackComponent], how: str, more: dict[str, Any], *, as_json: bool
) -> None:
    """A line for each component: that it is up, or down."""
    if not as_json:
        say("\n".join(f"{spoken(each.category)} {each.name}: {how}" for each in components))
        return
    data = [
        {key: getattr(each, key) for key in ("category", "name", "flavor")} for each in components
    ]
    print_json({**more, "components": data})
