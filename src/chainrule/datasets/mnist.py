"""MNIST: from a folder of its four files, or downloaded once from OpenML."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml, get_data_home

from chainrule.datasets.dataset import Dataset
from chainrule.datasets.idx import read_idx, write_idx
from chainrule.errors import DataError, FileFormatError, describe

__all__ = ["find_mnist", "load_mnist"]

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
TRAIN_ROWS = 60_000
ROWS = 70_000
# SHA-256 over the bytes of X_train, y_train, X_test, y_test, all uint8, of the original files.
SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


def load_mnist(folder: str | os.PathLike[str] | None = None) -> Dataset:
    """70 000 images of 28 × 28 handwritten digits, 60 000 of them to learn from.

    Looked for in `folder`; then in the folder that the environment variable CHAINRULE_DATA names,
    or in `mnist/` there; then in the cache; then downloaded from OpenML and kept in the cache.

    Parameters
    ----------
    folder : path-like, optional
        Holds the four files `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
        `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each plain or with `.gz`.

    Returns
    -------
    Dataset
        X in uint8, 0 (paper) ... 255 (ink), one image a row; y the digit.

    Raises
    ------
    DataError
        The folder does not hold the four files, or what was downloaded is not MNIST.
    FileFormatError
        A file is damaged.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document
    recognition. Proceedings of the IEEE 86 (1998), 2278-2324.
    """
    if folder is not None:
        return _from_folder(Path(folder))
    named = _named_folder()
    return _from_cache(_cache()) if named is None else _from_folder(named)


def find_mnist() -> Path | None:
    """The folder from which ``load_mnist`` would read; None where it would have to download."""
    named = _named_folder()
    if named is not None:
        return named
    return None if _missing(_cache()) else _cache()


def _named_folder() -> Path | None:
    """That of CHAINRULE_DATA, or `mnist/` there, if it holds the four files."""
    named = os.environ.get("CHAINRULE_DATA")
    candidates = (Path(named), Path(named) / "mnist") if named else ()
    return next((one for one in candidates if not _missing(one)), None)


def _cache() -> Path:
    return Path(get_data_home()) / "chainrule" / "mnist"


def _from_folder(folder: Path) -> Dataset:
    missing = _missing(folder)
    if missing:
        remedy = "Each may be plain or end in .gz."
        raise DataError(
            describe(folder, "the four files of MNIST", f"no {', '.join(missing)}", remedy)
        )
    paths = [_find(folder, name) for name in FILES]
    images, labels, test_images, test_labels = (read_idx(path) for path in paths)
    _check_pair(paths[0], images, paths[1], labels)
    _check_pair(paths[2], test_images, paths[3], test_labels)
    if images.shape[1:] != test_images.shape[1:]:
        raise FileFormatError(
            describe(paths[2], f"images of {images.shape[1:]}", test_images.shape[1:])
        )
    return _dataset(images, labels, test_images, test_labels)


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if not _find(folder, name).is_file()]


def _find(folder: Path, name: str) -> Path:
    plain = folder / name
    return plain if plain.is_file() else folder / f"{name}.gz"


def _check_pair(images_path: Path, images: np.ndarray, path: Path, labels: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim != 3 or not images.size:
        came = f"{images.dtype} of shape {images.shape}"
        raise FileFormatError(describe(images_path, "bytes of shape (rows, height, width)", came))
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        came = f"{labels.dtype} of shape {labels.shape}"
        raise FileFormatError(describe(path, f"bytes of shape ({len(images)},)", came))


def _dataset(
    images: np.ndarray, labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
) -> Dataset:
    return Dataset(
        name="mnist",
        X_train=images.reshape(len(images), -1),
        y_train=labels.astype(np.int64),
        X_test=test_images.reshape(len(test_images), -1),
        y_test=test_labels.astype(np.int64),
        image_shape=(images.shape[1], images.shape[2]),
        maximum=255.0,
    )


def _from_cache(cache: Path) -> Dataset:
    """The cache is checked each time: a file damaged since is fetched again, never used."""
    try:
        data = _from_folder(cache)
        if _digest(data) == SHA256:
            return data
    except (DataError, FileFormatError):
        pass
    data = _download()
    cache.mkdir(parents=True, exist_ok=True)
    arrays = (
        data.X_train.reshape(-1, 28, 28),
        data.y_train.astype(np.uint8),
        data.X_test.reshape(-1, 28, 28),
        data.y_test.astype(np.uint8),
    )
    for name, array in zip(FILES, arrays, strict=True):
        write_idx(cache / name, array)
    return data


def _download() -> Dataset:
    # The parser without pandas, which is not among our requirements. ValueError is what
    # scikit-learn raises for an answer that is an error or has another checksum than announced.
    try:
        X, y = fetch_openml(
            "mnist_784", version=1, return_X_y=True, as_frame=False, parser="liac-arff"
        )
    except (OSError, ValueError) as error:
        remedy = "Put the four files in a folder and name it, or set CHAINRULE_DATA."
        raise DataError(
            describe("MNIST", "a download from OpenML", f"none ({error})", remedy)
        ) from error
    images = np.asarray(X).astype(np.uint8).reshape(-1, 28, 28)
    labels = np.asarray(y).astype(np.uint8)
    data = _dataset(
        images[:TRAIN_ROWS], labels[:TRAIN_ROWS], images[TRAIN_ROWS:], labels[TRAIN_ROWS:]
    )
    digest = _digest(data)
    if digest != SHA256:
        raise DataError(describe("MNIST from OpenML", f"SHA-256 {SHA256}", digest))
    return data


def _digest(data: Dataset) -> str:
    digest = hashlib.sha256()
    for part in (data.X_train, data.y_train, data.X_test, data.y_test):
        digest.update(np.ascontiguousarray(part, dtype=np.uint8).tobytes())
    return digest.hexdigest()
