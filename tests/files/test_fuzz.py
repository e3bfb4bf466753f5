"""Damaged and hostile files: what tools/fuzz_files.py watches, on a few thousand of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from chainrule.errors import FileFormatError
from chainrule.estimators import load
from chainrule.files import read_model, write_model


def fuzz(root, cases, seed):
    """In a process of its own: what listens to Python's audit events cannot be taken away."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "fuzz_files.py", "--cases", str(cases), "--seed", seed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_damaged_files_are_refused_in_one_line(project_root):
    said = fuzz(project_root, 600, "0")
    assert "600 files" in said
    assert " 0 faults" in said
    for damage in ("truncated", "flipped", "other listing", "other header", "bloated"):
        assert f"{damage}: FileFormatError" in said


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_many_damaged_files_are_refused_in_one_line(project_root, seed):
    assert " 0 faults" in fuzz(project_root, 10_000, seed)


def test_the_watch_sees_what_it_should(project_root, tmp_path):
    """A reader that does what it must not is found out."""
    program = f"""
import sys, random
sys.path.insert(0, {str(project_root / "tools")!r})
import fuzz_files as fuzz
from pathlib import Path
watch, folder = fuzz._Watch(), Path({str(tmp_path)!r})
(folder / "good").write_bytes(b"x")
def ends(read):
    return fuzz.judge(fuzz._Case("", folder / "good", read), b"x", watch, folder)[1]
import subprocess
assert ends(lambda: None) is None
assert "exec" in ends(lambda: eval("1 + 1"))
assert "subprocess" in ends(lambda: subprocess.run(["true"]))
assert "open /etc/hostname" in ends(lambda: open("/etc/hostname", "rb").close())
assert "MiB for a file of 1 bytes" in ends(lambda: bytearray(10**8))
assert ends(lambda: 1 / 0) == "ZeroDivisionError: division by zero"
def lines():
    raise fuzz.FileFormatError("one\\ntwo")
assert "not one line" in ends(lines)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def path(project_root, tmp_path):
    """A copy of a good file whose header can be written anew."""
    arrays, header = read_model(project_root / "tests/files/version1/perceptron.safetensors")

    def rewritten(change):
        change(header)
        write_model(tmp_path / "m", arrays, header)
        return tmp_path / "m"

    return rewritten


def test_a_network_larger_than_its_arrays_is_not_made_room_for(path):
    def grow(header):
        header["network"]["nodes"][1]["shape"] = [4, 10**9]

    file = path(grow)
    tracemalloc.start()
    with pytest.raises(FileFormatError):
        load(file)
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "dtype", ["<U100000000", "(100000000,)f8", "f8,f8", "V8", "M8[s]", "O1,O2", "S4", "{'a': 'f8'}"]
)
def test_classes_of_a_type_of_their_own_are_refused(path, dtype):
    file = path(lambda header: header["classes"]["values"].update(dtype=dtype))
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="expected an estimator; came expected "):
        load(file)
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_wide_but_honest_text_is_read(path):
    wide = np.array(["ash", "beech", "cedar"], dtype="<U1000")
    file = path(lambda header: header["classes"]["values"].update(dtype=wide.dtype.str))
    assert load(file).classes_.dtype == wide.dtype


@pytest.mark.parametrize("depth", [500, 5000, 200_000])
def test_json_without_end_is_refused(path, depth):
    def nest(header):
        header["params"]["alpha"] = "HERE"

    file = path(nest)
    arrays, header = read_model(file)
    text = json.dumps(header).replace('"HERE"', "[" * depth + "]" * depth)
    from chainrule import files

    envelope = {"format": "chainrule", "version": 1, "sha256": files._digest(text, arrays)}
    metadata = {"chainrule": json.dumps(envelope | {"header": text})}
    file.write_bytes(files.save(arrays, metadata=metadata))
    with pytest.raises(FileFormatError):
        load(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileFormatError, match="expected a file; came something else"):
        read_model(tmp_path / "pipe")


def test_unknown_versions_of_the_estimator_are_named(path):
    file = path(lambda header: header.update(estimator_format=3))
    with pytest.raises(FileFormatError, match="of format 3; known are .* of formats 1, 2"):
        load(file)
