"""`penstock gc`: what of a store nobody needs any more."""

from __future__ import annotations

import click

from penstock.api.ending import remark, say
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, table
from penstock.client import Client
from penstock.errors import MANY
from penstock.quantities import size
from penstock.runtime.cleaning.limits import GRACE, KEEP_CACHE, KEEP_COMPILED, KEEP_RUNS
from penstock.runtime.cleaning.report import Cleaned, Share


@click.command("gc")
@click.option("--delete", is_flag=True, help="Delete it; without this it is only shown.")
@click.option("--grace", default=GRACE, show_default=True, metavar="TIME",
              help="All that was written or used since stays, for example 2h.")  # fmt: skip
@click.option("--keep-runs", type=click.IntRange(0), default=KEEP_RUNS, show_default=True,
              help="How many runs of each pipeline stay, the newest.")  # fmt: skip
@click.option("--keep-cache", default=KEEP_CACHE, show_default=True, metavar="TIME",
              help="Results that were made or used since stay in the cache.")  # fmt: skip
@click.option("--keep-compiled", default=KEEP_COMPILED, show_default=True, metavar="TIME",
              help="Pipelines that were compiled, or begun as compiled, since can still be "
              "carried out.")  # fmt: skip
@stack_option
@json_option("store", "deleted", "freed", "left", "kinds", "runs", "kept", "tags", "foreign")
def gc(
    *,
    delete: bool,
    grace: str,
    keep_runs: int,
    keep_cache: str,
    keep_compiled: str,
    stack: str | None,
    as_json: bool,
) -> None:
    """Show what of the store nobody needs any more, or delete it. Runs may go on meanwhile.

    Pinned and running runs stay, tagged artifacts, and all that these, the newest runs, the
    cache and compiled pipelines need.
    """
    client = Client(stack, chosen_by=BY_STACK)
    found = client.gc(
        delete=delete, grace=grace, keep_runs=keep_runs, keep_cache=keep_cache,
        keep_compiled=keep_compiled,
    )  # fmt: skip
    if as_json:
        print_json(found.to_data())
        return
    if not found.kinds:
        remark(f"Nothing is stored in {found.store} yet.")
    else:
        _show(found)
    if found.foreign:
        remark(f"Not of penstock, and not touched: {_some(found.foreign)}")


def _show(found: Cleaned) -> None:
    table(
        ["WHAT", "GONE" if found.deleted else "GOES", "STAYS"],
        [
            [name, _share(kind.gone), _share(kind.kept)]
            for name, kind in found.kinds.items()
            if name in ("runs", "compiled pipelines", "cache entries", "objects") or kind.gone.count
        ],
    )
    if stays := [f"{len(runs):,} {why}" for why, runs in found.kept.items()]:
        say(f"\nRuns that stay: {', '.join(stays)}.")
    if found.tags:
        say(f"Tagged artifacts: {found.tags:,}.")
    if found.deleted:
        say(f"Deleted {size(found.freed)}; {size(found.left)} are left.")
    elif found.freed:
        remark(f"\nNothing was deleted. To delete {size(found.freed)}: penstock gc --delete")


def _share(share: Share) -> str:
    return f"{share.count:,} ({size(share.size)})" if share.count else "none"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MANY:,} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more
