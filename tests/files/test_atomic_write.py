"""A file is whole or absent; nothing else is left in its folder."""

from __future__ import annotations

import os
import stat

import pytest

from chainrule.errors import OptionError
from chainrule.files import atomic_write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_bytes_and_text(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"\x00\r\n")
    with atomic_write(tmp_path / "b", "w") as file:
        file.write("σ\r\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "b").read_bytes() == "σ\r\n".encode()
    assert names(tmp_path) == ["a", "b"]


def test_nothing_under_the_name_until_the_end(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"x" * 100_000)
        file.flush()
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").stat().st_size == 100_000


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a"
    path.write_bytes(b"earlier")

    def write_half():
        with atomic_write(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["a"]


def test_a_failing_rename_leaves_nothing(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError), atomic_write(tmp_path / "a") as file:
        file.write(b"x")
    assert names(tmp_path) == []


def test_the_file_reaches_the_disk_before_its_name_does(tmp_path, monkeypatch):
    calls = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (calls.append(stat.S_ISDIR(os.fstat(fd).st_mode)), real_fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), real_replace(a, b)))
    with atomic_write(tmp_path / "a") as file:
        file.write(b"x")
    expected = [False, "rename"] if os.name == "nt" else [False, "rename", True]
    assert calls == expected


@pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")
def test_permissions_and_links_stay(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"1")
    real.chmod(0o640)
    link.symlink_to(real)
    with atomic_write(link) as file:
        file.write(b"2")
    assert link.is_symlink()
    assert real.read_bytes() == b"2"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    with atomic_write(tmp_path / "ours") as file:
        file.write(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="came a folder"), atomic_write(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "missing" / "a"):
        pass


def test_other_modes_are_refused(tmp_path):
    with pytest.raises(OptionError, match="'wb' or 'w'"), atomic_write(tmp_path / "a", "a"):
        pass
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "models" / "one.safetensors"
    with (
        pytest.raises(
            FileNotFoundError, match=r"one\.safetensors: there is no folder .*models; cr"
        ),
        atomic_write(path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
