"""The page on buckets has every option, and the defaults that they have."""

import re
from pathlib import Path

from penstock.stack.describe import Option, options
from penstock_s3 import S3ArtifactStore

PAGE = Path(__file__).parents[3] / "docs/how-to/s3.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def default(option: Option) -> str:
    if option.required or option.name == "path":
        return "needed"
    if option.default in (None, "", {}):
        return "none"
    return f"`{option.default:g}`" if type(option.default) is float else f"`{option.default}`"


def test_the_table_has_all_options_with_their_defaults() -> None:
    table = PAGE.read_text("utf-8").partition("## Options")[2]
    rows = [(name, written) for name, written, _ in ROW.findall(table)]

    assert rows == [(option.name, default(option)) for option in options(S3ArtifactStore)]
