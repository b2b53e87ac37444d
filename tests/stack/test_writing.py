import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from penstock.errors import BadConfiguration, StackError
from penstock.stack.changing.writing import seen, unchanged, writing
from penstock.stack.project import user_file

FILE = Path("penstock.yaml")
OVEN = {"flavor": "oven"}


def put(path: Path = FILE, name: str = "big") -> None:
    with writing(path) as document:
        document.put("orchestrators", name, OVEN)


def put_while_an_editor_saves(text: str) -> None:
    with writing(FILE) as document:
        FILE.write_text(text)
        document.put("orchestrators", "big", OVEN)


def test_a_new_file_begins_with_the_line_that_helps_editors() -> None:
    put()

    first, *rest = FILE.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=.penstock/schema.json"
    assert rest == ["orchestrators:", "  big:", "    flavor: oven"]


def test_the_old_file_is_kept_and_git_sees_only_the_new_one() -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    put(name="one")
    before = FILE.read_bytes()

    put(name="two")

    assert Path(".penstock/penstock.yaml.bak").read_bytes() == before
    seen_by_git = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    )
    assert seen_by_git.stdout == "?? penstock.yaml\n"


def test_the_users_own_file_is_made_with_its_folder() -> None:
    path = user_file()
    assert path is not None

    put(path)

    assert {item.name for item in path.parent.iterdir()} == {"penstock.yaml", ".penstock"}


def test_nothing_is_written_where_nothing_has_changed() -> None:
    FILE.write_text("# mine\n")
    before = FILE.stat().st_mtime_ns

    with writing(FILE) as document:
        document.set_active(None)

    assert FILE.stat().st_mtime_ns == before


def test_nothing_is_written_if_the_work_fails() -> None:
    FILE.write_text("# mine\n")

    with pytest.raises(BadConfiguration):
        put(name="no name")

    assert FILE.read_text() == "# mine\n"
    put()  # and the lock is free


def test_modes_byte_order_marks_and_line_ends_are_kept() -> None:
    FILE.write_bytes(b"\xef\xbb\xbf# mine\r\n")
    FILE.chmod(0o640)

    put()

    assert FILE.read_bytes() == (
        b"\xef\xbb\xbf# mine\r\norchestrators:\r\n  big:\r\n    flavor: oven\r\n"
    )
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o640
    assert stat.S_IMODE(Path(".penstock/penstock.yaml.bak").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    FILE.symlink_to(tmp_path / "dotfiles" / "shared.yaml")

    put()
    put(name="two")

    assert FILE.is_symlink()
    assert "two:" in (tmp_path / "dotfiles" / "shared.yaml").read_text()


def test_what_an_editor_saves_meanwhile_is_not_overwritten() -> None:
    FILE.write_text("# mine\n")

    with pytest.raises(BadConfiguration, match="changed by somebody else"):
        put_while_an_editor_saves("# edited\n")

    assert FILE.read_text() == "# edited\n"


def test_a_file_that_changed_since_the_questions_began_is_noticed() -> None:
    text = seen(FILE)
    unchanged(FILE, text)
    put()

    with pytest.raises(BadConfiguration, match=r"^penstock.yaml was changed"):
        unchanged(FILE, text)
    unchanged(FILE, seen(FILE))


def test_a_read_only_file_is_left_alone() -> None:
    FILE.write_text("# mine\n")
    FILE.chmod(0o444)

    with pytest.raises(StackError, match=r"^penstock.yaml cannot be written: it is read-only.\nch"):
        put()

    assert FILE.read_text() == "# mine\n"


def test_a_folder_in_its_place_is_said() -> None:
    FILE.mkdir()

    with pytest.raises(BadConfiguration, match=r"penstock.yaml:1:1: This must be a file"):
        put()


def test_a_link_that_leads_to_itself_is_said() -> None:
    FILE.symlink_to(FILE)

    with pytest.raises(StackError, match=r"^penstock.yaml cannot be written: "):
        put()


def test_a_file_in_the_place_of_its_folder_is_said() -> None:
    Path(".penstock").touch()

    with pytest.raises(StackError, match="is in the way"):
        put()


def test_a_write_that_fails_leaves_the_old_file() -> None:
    put(name="one")
    before = FILE.read_bytes()
    Path(".penstock/penstock.yaml.bak").mkdir()  # the first thing that is to be written

    with pytest.raises(StackError, match="cannot be written: Is a directory"):
        put(name="two")

    assert FILE.read_bytes() == before


def test_what_a_killed_process_has_left_is_in_nobodys_way() -> None:
    put(name="one")
    Path(".penstock/penstock.yaml.new").write_text("half")
    Path(".penstock/penstock.yaml.new").chmod(0o400)

    put(name="two")

    assert "two:" in FILE.read_text()
    assert not Path(".penstock/penstock.yaml.new").exists()


def test_a_lock_that_nobody_lets_go_is_named() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(FILE):
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    said = r"has kept the lock .penstock/penstock.yaml.lock for 0.1"
    with pytest.raises(StackError, match=said), writing(FILE, patience=0.1):
        pytest.fail("there are two of us")
    done.set()
    holder.join()


def test_who_writes_leaves_no_open_files() -> None:
    put(name="one")
    before = len(os.listdir("/proc/self/fd"))

    put(name="two")

    assert len(os.listdir("/proc/self/fd")) == before
