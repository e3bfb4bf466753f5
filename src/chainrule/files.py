"""Files that are whole or absent, and the model file.

A model file is a safetensors file: arrays, and one JSON text in its metadata.

    8 bytes          length of the safetensors header, little-endian
    header           JSON: name -> type, shape, offsets; "__metadata__" -> {"chainrule": text}
    the arrays       C order, little-endian

`text` is itself JSON: {"format": "chainrule", "version": 1, "sha256": ..., "header": {...}}. The
header is the caller's: "network", "preprocessing", "classes", "history", anything that JSON holds.
The digest covers the header and every array with its name, type and shape, so a damaged file is
refused and never half believed. Nothing in the file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from chainrule.errors import (
    ChainruleError,
    FileFormatError,
    OptionError,
    WrongTypeError,
    describe,
    one_line,
)

__all__ = ["atomic_write", "making_sense_of", "read_model", "write_model"]

FORMAT = "chainrule"
VERSION = 1
MAX_HEADER_BYTES = 64 * 2**20

DTYPES = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("<u1"),
    "U16": np.dtype("<u2"),
    "U32": np.dtype("<u4"),
    "U64": np.dtype("<u8"),
    "I8": np.dtype("<i1"),
    "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}


@contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb", "w"] = "wb"
) -> Iterator[IO[Any]]:
    """Write `path` whole or not at all: temporary file, fsync, rename, fsync of the folder.

    Parameters
    ----------
    path : path-like
        The file to create or to replace. A symbolic link stays, its target is replaced.
    mode : {"wb", "w"}
        Bytes, or UTF-8 text with newlines as written.

    Yields
    ------
    file
        Open for writing. When the block raises, nothing is left behind and an earlier file at
        `path` is untouched.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path}: expected the name of a file; came a folder.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {target.parent}; create it first.")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with _create(temporary, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _copy_permissions(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _create(path: Path, mode: str) -> IO[Any]:
    # "x": a file of this name that somebody else put there is never written to.
    if mode == "wb":
        return open(path, "xb")
    if mode == "w":
        return open(path, "x", encoding="utf-8", newline="")
    raise OptionError(describe("mode", "'wb' or 'w'", repr(mode)))


def _copy_permissions(existing: Path, new: Path) -> None:
    with suppress(FileNotFoundError):
        new.chmod(existing.stat().st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself survive a power cut. Windows cannot open folders and does not need to.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_model(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    header: Mapping[str, Any],
) -> None:
    """Write a model file, atomically.

    Parameters
    ----------
    path : path-like
        The file to create or to replace.
    arrays : mapping of str to ndarray
        Booleans, integers and floating point numbers, of any shape.
    header : mapping of str to anything that JSON holds
        By custom "network", "preprocessing", "classes", "history".

    Raises
    ------
    WrongTypeError
        An array's type, or a value in the header, cannot be stored.
    """
    plain = {name: _storable(name, array) for name, array in arrays.items()}
    text = _dump(dict(header))
    envelope = {"format": FORMAT, "version": VERSION, "sha256": _digest(text, plain)}
    # The text is nested as text, so that the digest is over the very characters that are read.
    metadata = {FORMAT: json.dumps(envelope | {"header": text})}
    content = save(plain, metadata=metadata)
    if int.from_bytes(content[:8], "little") > MAX_HEADER_BYTES:
        raise OptionError(describe("header", f"at most {MAX_HEADER_BYTES} bytes of JSON", "more"))
    with atomic_write(path) as file:
        file.write(content)


def _storable(name: object, array: object) -> np.ndarray:
    if not isinstance(name, str) or name == "__metadata__":
        raise WrongTypeError(describe("array name", "a string, not '__metadata__'", repr(name)))
    if not isinstance(array, np.ndarray) or array.dtype.newbyteorder("<") not in DTYPES.values():
        came = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise WrongTypeError(describe(f"array {name!r}", "an ndarray of numbers", came))
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _dump(header: dict[str, Any]) -> str:
    for key, value in header.items():
        if not isinstance(key, str):
            raise WrongTypeError(describe("header", "names that are strings", repr(key)))
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            remedy = "Convert arrays with .tolist() and write infinities and NaN as strings."
            raise WrongTypeError(
                describe(f"header[{key!r}]", "what JSON holds", str(error), remedy)
            ) from error
    return json.dumps(header, allow_nan=False)


def _digest(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over the header's text, then name, type, shape and bytes of every array by name."""
    digest = hashlib.sha256()
    for name in (None, *sorted(arrays)):
        if name is None:
            what, content = ["header"], text.encode()
        else:
            array = arrays[name]
            little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
            what, content = [name, little.dtype.str, list(array.shape)], little.data
        # The line says how long what follows is, so no two contents can read as the same stream.
        digest.update(json.dumps([*what, memoryview(content).nbytes]).encode())
        digest.update(content)
    return digest.hexdigest()


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a model file: (arrays by name, header).

    Parameters
    ----------
    path : path-like
        A file that `write_model` wrote.

    Returns
    -------
    arrays : dict of str to ndarray
        Writable, owned by the caller.
    header : dict
        As it was given to `write_model`.

    Raises
    ------
    FileFormatError
        Truncated, damaged, foreign, or of a version that this chainrule does not know.
    OSError
        The file cannot be opened.
    """
    listing = _read_listing(path)
    envelope = _read_envelope(path, listing)
    _check_types(path, listing)
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise _malformed(path, "arrays as listed in its header", str(error)) from error
    text = envelope["header"]
    if _digest(text, arrays) != envelope["sha256"]:
        raise _malformed(path, f"content with SHA-256 {envelope['sha256']}", "other content")
    return arrays, _parse(path, text)


@contextmanager
def making_sense_of(path: str | os.PathLike[str], expected: str) -> Iterator[None]:
    """What goes wrong in the block is a mistake in the file ``path``, which should be ``expected``.

    Raises
    ------
    FileFormatError
        In place of any error that a strange header or array can lead to.
    """
    try:
        yield
    except (
        ChainruleError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        MemoryError,
    ) as error:
        came = str(error) if isinstance(error, ChainruleError) else repr(error)
        remedy = "The file is damaged or was made by another program."
        raise FileFormatError(describe(path, expected, one_line(came), remedy)) from error


def _read_listing(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The safetensors header, its length checked before a byte of it is read."""
    # a pipe or a terminal would be waited for
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise _malformed(path, "a file", "something else")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER_BYTES:  # most often text: a file of another kind
            expected = f"a header of at most {MAX_HEADER_BYTES} bytes at its beginning"
            raise _malformed(path, expected, "something else")
        if size < 8 or 8 + length > size:
            raise _malformed(path, f"at least {8 + max(length, 2)} bytes", f"{size} bytes")
        content = file.read(length)
    return _parse(path, content)


def _read_envelope(path: str | os.PathLike[str], listing: dict[str, Any]) -> dict[str, Any]:
    metadata = listing.get("__metadata__")
    if not isinstance(metadata, dict) or not isinstance(metadata.get(FORMAT), str):
        raise _malformed(path, "a model file written by chainrule", "a safetensors file of another")
    envelope = _parse(path, metadata[FORMAT])
    version = envelope.get("version")
    if envelope.get("format") != FORMAT or type(version) is not int or version < 1:
        came = f"{envelope.get('format')!r}, version {version!r}"
        raise _malformed(path, f"format {FORMAT!r}, version {VERSION}", came)
    if version > VERSION:
        remedy = "Read it with a newer chainrule."
        came = one_line(str(version), 40)
        raise FileFormatError(describe(path, f"version at most {VERSION}", came, remedy))
    for key in ("sha256", "header"):
        if not isinstance(envelope.get(key), str):
            raise _malformed(path, f"{key!r} in its metadata", repr(envelope.get(key)))
    return envelope


def _check_types(path: str | os.PathLike[str], listing: dict[str, Any]) -> None:
    for name, entry in listing.items():
        if name == "__metadata__":
            continue
        came = entry.get("dtype") if isinstance(entry, dict) else entry
        if not isinstance(came, str) or came not in DTYPES:
            raise _malformed(path, f"array {name!r} of a type in {', '.join(DTYPES)}", repr(came))


def _parse(path: str | os.PathLike[str], text: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise _malformed(path, "a header in JSON", str(error)) from error
    if not isinstance(value, dict):
        raise _malformed(path, "a JSON object as header", type(value).__name__)
    return value


def _malformed(path: str | os.PathLike[str], expected: str, came: str) -> FileFormatError:
    remedy = "The file is damaged or not a chainrule model."
    return FileFormatError(describe(path, one_line(expected), one_line(came), remedy))
