"""`penstock <category> flavor register` and `delete`: flavors of one's own, in a file."""

from __future__ import annotations

import click

from penstock.cli import known
from penstock.cli.changed import told
from penstock.cli.options import user_option
from penstock.cli.output import json_option
from penstock.stack.categories import Category
from penstock.stack.changing.changes import Changes
from penstock.stack.component import a
from penstock.stack.flavor import Flavor
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def registering(category: Category) -> click.Command:
    """Writes one down, under the name that its class has for it."""
    about = (
        f"Write down a flavor of your own: a class that is {a(category.name)}.\n\n"
        "CLASS is package.module:Class. Its name is what the class says: "
        "flavor: ClassVar[str] = 'name'. It is imported now, from where Python finds it, "
        "or from the project's folder."
    )

    @click.command("register", help=about)
    @click.argument("target", metavar="CLASS")
    @user_option
    @json_option("changes")
    def register_flavor(*, target: str, user: bool, as_json: bool) -> None:
        changes = Changes(Registry(Project.find()), user=user)
        name = _name(category, target)
        told([changes.register_flavor(category.name, name, target)], as_json=as_json)

    return register_flavor


def deleting(category: Category) -> click.Command:
    """Takes one out of its file."""

    @click.command("delete", help="Take a flavor of your own out of its file; its class stays.")
    @click.argument("name", shell_complete=known.flavors(category.name))
    @user_option
    @json_option("changes")
    def delete_flavor(*, name: str, user: bool, as_json: bool) -> None:
        changes = Changes(Registry(Project.find()), user=user)
        told([changes.delete_flavor(category.name, name)], as_json=as_json)

    return delete_flavor


def _name(category: Category, target: str) -> str:
    module, _, name = target.partition(":")
    if not module or not name:
        raise click.BadParameter(
            f"{target!r} is no class: write package.module:Class.",
            click.get_current_context(), param_hint="CLASS",
        )  # fmt: skip
    return Flavor(category.name, name.lower(), target).own_name
