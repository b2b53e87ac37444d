"""Where a test may mount a disk of its own."""

from __future__ import annotations

import subprocess


def mount_namespace() -> list[str] | None:
    """A command that runs another one where it may mount, out of everybody's sight."""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *options]
        try:
            test = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
            if subprocess.run(test, capture_output=True, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            return None
    return None
