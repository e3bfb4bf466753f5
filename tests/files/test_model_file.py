"""The model file: what is written is read; what is damaged, foreign or too new is refused."""

from __future__ import annotations

import hashlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from chainrule import files
from chainrule.errors import FileFormatError, OptionError, WrongTypeError
from chainrule.files import read_model, write_model

HEADER = {
    "network": {"layers": [{"type": "dense", "units": 20}], "σ": None},
    "preprocessing": [],
    "classes": ["ja", "nein", "é"],
    "history": {"loss": [0.5, 1e-300]},
}


def arrays():
    rng = np.random.default_rng(0)
    return {"W1": rng.normal(size=(4, 3)), "b1": np.zeros(3, np.float32), "n": np.array(7)}


def same(found, expected):
    return found.keys() == expected.keys() and all(
        found[name].dtype == expected[name].dtype
        and found[name].shape == expected[name].shape
        and found[name].tobytes() == expected[name].tobytes()
        for name in expected
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model(path, arrays(), HEADER)
    return path


def test_round_trip(path):
    found, header = read_model(path)
    assert same(found, arrays())
    assert header == HEADER
    assert all(array.flags.writeable for array in found.values())


@pytest.mark.parametrize("dtype", files.DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (2, 3)])
def test_round_trip_of_every_type_and_shape(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    write_model(tmp_path / "m", {"a": array}, {})
    found, header = read_model(tmp_path / "m")
    assert same(found, {"a": array})
    assert header == {}


def test_any_layout_and_byte_order_is_stored_as_its_values(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4)
    write_model(tmp_path / "m", {"t": array.T, "s": array[::2, ::-1]}, {})
    found, _ = read_model(tmp_path / "m")
    np.testing.assert_array_equal(found["t"], array.T)
    np.testing.assert_array_equal(found["s"], array[::2, ::-1])


@given(
    values=hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, min_side=0)),
    header=st.dictionaries(
        st.text(),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    ),
)
def test_round_trip_of_generated_content(tmp_path_factory, values, header):
    path = tmp_path_factory.mktemp("m") / "m"
    write_model(path, {"values": values}, header)
    found, came = read_model(path)
    assert same(found, {"values": values})
    assert came == header


def test_other_programs_read_the_arrays(path):
    assert same(load(path.read_bytes()), arrays())


def test_same_content_gives_the_same_bytes(path, tmp_path):
    write_model(tmp_path / "again", arrays(), HEADER)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def check_refused(path, match):
    with pytest.raises(FileFormatError, match=match) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ")
    assert "; came " in message
    assert "\n" not in message


def test_truncation_at_every_length_is_refused(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        check_refused(path, "expected")


def test_trailing_bytes_are_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    check_refused(path, "expected")


def test_no_flipped_bit_changes_what_is_read(path):
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found, header = read_model(path)
        except FileFormatError:
            refused += 1
        else:
            assert same(found, arrays())
            assert header == HEADER
    assert refused > 0.9 * len(content)


@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("m") / "m"
    path.write_bytes(content)
    check_refused(path, "expected")


@pytest.mark.parametrize("length", [2**20, files.MAX_HEADER_BYTES])
def test_a_header_longer_than_the_file_is_refused(path, length):
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    check_refused(path, f"at least {8 + length} bytes")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**40])
def test_a_header_longer_than_any_is_refused(path, length):
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    check_refused(path, f"a header of at most {files.MAX_HEADER_BYTES} bytes")


def test_a_table_is_no_model(path):
    path.write_text("a,b,kind\n1,2,x\n" * 9)
    check_refused(path, "damaged or not a chainrule model")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be"])
def test_a_header_in_anything_but_utf_8_is_refused(path, encoding):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = content[8 : 8 + length].decode("utf-8").encode(encoding)
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])
    check_refused(path, "a header in JSON")


def test_an_oversized_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "m"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", files.MAX_HEADER_BYTES + 1))
        file.truncate(files.MAX_HEADER_BYTES + 100)
    check_refused(path, f"a header of at most {files.MAX_HEADER_BYTES} bytes")


def rewrite(path, change, contents=None):
    """A well-formed file whose envelope was changed, as another version would write it."""
    contents = arrays() if contents is None else contents
    text = json.dumps(HEADER)
    envelope = {
        "format": "chainrule",
        "version": 1,
        "sha256": files._digest(text, contents),
        "header": text,
    }
    change(envelope)
    path.write_bytes(save(contents, metadata={"chainrule": json.dumps(envelope)}))


def test_the_rewriting_used_below_is_itself_readable(path):
    rewrite(path, lambda envelope: None)
    assert read_model(path)[1] == HEADER


def test_a_newer_version_is_refused_by_number(path):
    rewrite(path, lambda envelope: envelope.update(version=2))
    check_refused(path, "expected version at most 1; came 2. Read it with a newer chainrule")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 0),
        ("version", "1"),
        ("version", True),
        ("version", None),
        ("format", "other"),
        ("sha256", None),
        ("sha256", "0" * 64),
        ("header", {"network": None}),
    ],
)
def test_a_malformed_envelope_is_refused(path, key, value):
    rewrite(path, lambda envelope: envelope.update({key: value}))
    check_refused(path, "expected")


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": NaN', "[" * 100_000, "null"])
def test_a_malformed_header_is_refused(path, text):
    def change(envelope):
        envelope["header"] = text
        envelope["sha256"] = files._digest(text, arrays())

    rewrite(path, change)
    check_refused(path, "JSON")


def test_a_foreign_safetensors_file_is_refused(path):
    path.write_bytes(save(arrays(), metadata={"format": "pt"}))
    check_refused(path, "written by chainrule; came a safetensors file of another")
    path.write_bytes(save(arrays()))
    check_refused(path, "written by chainrule")


@pytest.mark.parametrize("code", ["BF16", "F8_E4M3", "C64", "X", 3, None])
def test_an_array_of_another_type_is_refused(path, code):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    listing = json.loads(content[8 : 8 + length])
    listing["W1"]["dtype"] = code
    header = json.dumps(listing).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])
    check_refused(path, "array 'W1' of a type in BOOL")


def test_a_shape_that_promises_more_than_the_file_holds_is_refused(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    listing = json.loads(content[8 : 8 + length])
    listing["W1"]["shape"] = [2**40, 2**40]
    header = json.dumps(listing).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])
    check_refused(path, "arrays as listed")


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "m"
    marker = tmp_path / "ran"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    check_refused(path, "expected")
    assert not marker.exists()


def test_the_digest_is_the_documented_one(path):
    header = json.dumps(HEADER)
    expected = hashlib.sha256()
    parts = [(["header"], header.encode())]
    for name, array in sorted(arrays().items()):
        parts.append(([name, array.dtype.str, list(array.shape)], array.tobytes()))
    for what, content in parts:
        expected.update(json.dumps([*what, len(content)]).encode())
        expected.update(content)
    assert files._digest(header, arrays()) == expected.hexdigest()


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([None]), np.zeros(2, complex), [1.0], np.zeros(2, "M8[s]")]
)
def test_arrays_that_cannot_be_stored_are_refused(tmp_path, array):
    with pytest.raises(WrongTypeError, match="array 'a': expected an ndarray of numbers"):
        write_model(tmp_path / "m", {"a": array}, {})
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("name", [1, "__metadata__", None])
def test_array_names_that_cannot_be_stored_are_refused(tmp_path, name):
    with pytest.raises(WrongTypeError, match="array name: expected a string"):
        write_model(tmp_path / "m", {name: np.zeros(1)}, {})


@pytest.mark.parametrize("value", [np.arange(3), float("nan"), float("inf"), {1, 2}, object()])
def test_a_header_that_is_not_json_is_refused_by_name(tmp_path, value):
    with pytest.raises(WrongTypeError, match=r"header\['history'\]: expected what JSON holds"):
        write_model(tmp_path / "m", {}, {"history": {"loss": value}})


def test_header_names_are_strings(tmp_path):
    with pytest.raises(WrongTypeError, match="names that are strings"):
        write_model(tmp_path / "m", {}, {1: 2})


def test_a_header_too_large_to_be_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_HEADER_BYTES", 1000)
    with pytest.raises(OptionError, match="at most 1000 bytes"):
        write_model(tmp_path / "m", {}, {"history": "x" * 1000})
    assert not (tmp_path / "m").exists()


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "missing")
