"""What `up` and `down` say of the components that they were for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.api.ending import say
from penstock.cli.output import print_json
from penstock.stack.provisioned import Deed


def told(deeds: Iterable[Deed], more: dict[str, Any], *, as_json: bool) -> None:
    """What was done for each component, as soon as it is done; as JSON, at the end."""
    if not as_json:
        for deed in deeds:
            say(str(deed))
        return
    data = [
        {
            **{key: getattr(deed.component, key) for key in ("category", "name", "flavor")},
            "said": list(deed.said),
        }
        for deed in deeds
    ]
    print_json({**more, "components": data})
