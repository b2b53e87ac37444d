"""A machine that speaks SFTP, as OpenSSH does: a plain rename replaces nothing.

    python sftp_server.py FOLDER

prints the port and serves the folder until its input ends.
"""

import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import paramiko

FLAGS = paramiko.SFTPAttributes


class Door(paramiko.ServerInterface):
    """Lets in who knows the password."""

    def check_auth_password(self, username: str, password: str) -> int:
        known = (username, password) == ("you", "open sesame")
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Handle(paramiko.SFTPHandle):
    """An open file."""

    def __init__(self, flags: int, file: Any) -> None:
        super().__init__(flags)
        self.readfile = self.writefile = file

    def stat(self) -> Any:
        return FLAGS.from_stat(os.fstat(self.readfile.fileno()))


class Files(paramiko.SFTPServerInterface):
    """A folder."""

    root = Path()

    def _of(self, path: str) -> str:
        return f"{self.root}{self.canonicalize(path)}"

    def list_folder(self, path: str) -> Any:
        def told(item: os.DirEntry[str]) -> Any:
            return FLAGS.from_stat(item.stat(), item.name)

        return answered(lambda: [told(item) for item in os.scandir(self._of(path))])

    def stat(self, path: str) -> Any:
        return answered(lambda: FLAGS.from_stat(os.stat(self._of(path))))

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        def opened() -> Handle:
            fd = os.open(self._of(path), flags, 0o666)
            writing = flags & (os.O_WRONLY | os.O_RDWR)
            return Handle(flags, os.fdopen(fd, "r+b" if writing and flags & os.O_RDWR else
                                           "wb" if writing else "rb"))  # fmt: skip

        return answered(opened)

    def remove(self, path: str) -> Any:
        return answered(lambda: os.unlink(self._of(path)))

    def rename(self, oldpath: str, newpath: str) -> Any:
        def moved() -> None:
            os.link(self._of(oldpath), self._of(newpath))
            os.unlink(self._of(oldpath))

        return answered(moved)

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        return answered(lambda: os.replace(self._of(oldpath), self._of(newpath)))

    def mkdir(self, path: str, attr: Any) -> Any:
        return answered(lambda: os.mkdir(self._of(path)))

    def rmdir(self, path: str) -> Any:
        return answered(lambda: os.rmdir(self._of(path)))


def answered(deed: Any) -> Any:
    """What came of it, or the number that SFTP has for the error."""
    try:
        found = deed()
        return paramiko.SFTP_OK if found is None else found
    except (FileNotFoundError, NotADirectoryError):
        return paramiko.SFTP_NO_SUCH_FILE
    except PermissionError:
        return paramiko.SFTP_PERMISSION_DENIED
    except OSError:
        return paramiko.SFTP_FAILURE


def serve(connection: socket.socket, key: paramiko.PKey) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer takes 40 ms
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
    transport.start_server(server=Door())


def main(folder: str) -> None:
    Files.root = Path(folder)
    key = paramiko.ECDSAKey.generate()
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            serve(listening.accept()[0], key)

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
