"""References: what settings say of a Secret, a ConfigMap or a claim in one word."""

from __future__ import annotations

from penstock_kubeflow.parts import Claim, Files, Key


def key_of(said: str | Key) -> Key:
    """`name/key`."""
    if isinstance(said, Key):
        return said
    name, _, key = said.partition("/")
    return Key(name=name, key=key)


def files_of(said: str | Files) -> Files:
    """`name`."""
    return said if isinstance(said, Files) else Files(name=said)


def claim_of(said: str | Claim) -> Claim:
    """`name`, or `name/folder/in/it`."""
    if isinstance(said, Claim):
        return said
    name, _, folder = said.partition("/")
    return Claim(name=name, sub_path=folder)
