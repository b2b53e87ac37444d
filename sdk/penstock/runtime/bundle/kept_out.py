"""What never travels: files in which credentials are usually kept, and what is of no use anywhere
else. Known by their names alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import translate
from typing import Final

CREDENTIALS: Final = (
    *(".env", ".env.*", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("*.ppk", "*.kdbx", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*"),
    *(".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass", ".my.cnf", ".s3cfg", ".boto"),
    *(".git-credentials", ".htpasswd", ".dockercfg", ".vault-token", ".terraformrc"),
    *("credentials.json", "client_secret*.json", "application_default_credentials.json"),
    *("*service-account*.json", "*service_account*.json", "kubeconfig", "*.kubeconfig"),
    *("*.tfstate", "*.tfstate.backup"),
)
"""Names of files, in small letters."""

CREDENTIAL_FOLDERS: Final = frozenset({".aws", ".azure", ".gnupg", ".kube", ".ssh"})
"""All that is in them."""

CREDENTIAL_PATHS: Final = (".docker/config.json", ".config/gcloud/", ".streamlit/secrets.toml")
"""The end of a path, or what is somewhere in it."""

HARMLESS: Final = frozenset({".env.example", ".env.sample", ".env.template", ".env.dist"})
"""What only shows how such a file looks."""

FOLDERS: Final = frozenset(
    {
        *(".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".eggs"),
        *(".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"),
        *(".hg", ".svn", ".idea", ".vscode"),
    }
)
"""Unless they are in git: made anew where they are needed."""

FILES: Final = (".pyc", ".pyo", ".DS_Store")
"""Their ends; for them, too, git counts."""

AT_THE_TOP: Final = frozenset({"build", "dist"})
"""Folders that are made by building, if they are in the project's own folder."""

MARKS: Final = frozenset({"pyvenv.cfg", "store.json"})
"""Files that say what the folder around them may be."""

NEVER: Final = frozenset({".git", ".penstock"})
"""Whatever git or anybody says."""

_FILE: Final = re.compile("|".join(map(translate, CREDENTIALS)))


def is_never(name: str) -> bool:
    """Whether a path is in a folder of git's or penstock's own."""
    return not NEVER.isdisjoint(name.split("/"))


def is_credential(name: str) -> bool:
    """Whether a path is one under which secrets are kept."""
    path = name.lower()
    *folders, file = path.split("/")
    if file in HARMLESS:
        return False
    if _FILE.match(file) or not CREDENTIAL_FOLDERS.isdisjoint(folders):
        return True
    return any(f"/{end}" in f"/{path}" for end in CREDENTIAL_PATHS)


def is_made(name: str) -> bool:
    """Whether a path is of something that is made anew elsewhere."""
    if name.endswith(FILES):
        return True
    return any(is_made_folder(folder) for folder in _above(name))


def is_made_folder(path: str) -> bool:
    """The same of a folder."""
    name = path.rpartition("/")[2]
    return name in FOLDERS or name.endswith(".egg-info") or path in AT_THE_TOP


def is_marked(names: Collection[str]) -> bool:
    """Whether a folder with this in it is a virtual environment, or a store of penstock's."""
    is_store = "store.json" in names and not {"objects", "runs"}.isdisjoint(names)
    return is_store or "pyvenv.cfg" in names


def _above(name: str) -> list[str]:
    """The folders that a path lies in, from the top."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]
