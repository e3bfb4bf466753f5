"""MNIST: from a folder, from the environment, from the cache, from OpenML, in that order."""

from __future__ import annotations

import gzip
import shutil

import numpy as np
import pytest

from chainrule.datasets import load_mnist, mnist, write_idx
from chainrule.errors import DataError, FileFormatError


def small(rows=5, test_rows=3, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(256, size=(rows, 4, 6), dtype=np.uint8),
        rng.integers(10, size=rows, dtype=np.uint8),
        rng.integers(256, size=(test_rows, 4, 6), dtype=np.uint8),
        rng.integers(10, size=test_rows, dtype=np.uint8),
    )


def write_four(folder, arrays):
    folder.mkdir(exist_ok=True)
    for name, array in zip(mnist.FILES, arrays, strict=True):
        write_idx(folder / name, array)
    return folder


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch, tmp_path):
    """No environment variable, an empty cache, and no network."""
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    monkeypatch.setattr(mnist, "get_data_home", lambda: str(tmp_path / "home"))

    def refuse(*arguments, **options):
        raise OSError("no network in tests")

    monkeypatch.setattr(mnist, "fetch_openml", refuse)


@pytest.fixture
def folder(tmp_path):
    return write_four(tmp_path / "four", small())


def test_the_four_files_become_rows(folder):
    data = load_mnist(folder)
    images, labels, test_images, test_labels = small()
    np.testing.assert_array_equal(data.X_train, images.reshape(5, 24))
    np.testing.assert_array_equal(data.X_test, test_images.reshape(3, 24))
    np.testing.assert_array_equal(data.y_train, labels)
    np.testing.assert_array_equal(data.y_test, test_labels)
    assert data.X_train.dtype == np.uint8
    assert data.y_train.dtype == np.int64
    assert data.image_shape == (4, 6)
    assert data.maximum == 255.0


def test_gzipped_or_not_in_any_mixture(folder):
    plain = folder / mnist.FILES[2]
    zipped = plain.with_name(plain.name + ".gz")
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    np.testing.assert_array_equal(load_mnist(str(folder)).X_test, small()[2].reshape(3, 24))


@pytest.mark.parametrize("inside", ["", "mnist"])
def test_the_environment_names_the_folder_or_the_one_above(tmp_path, monkeypatch, inside):
    write_four(tmp_path / "mnist", small())
    named = tmp_path if inside else tmp_path / "mnist"
    monkeypatch.setenv("CHAINRULE_DATA", str(named))
    assert load_mnist().X_train.shape == (5, 24)


def test_the_argument_goes_before_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", str(write_four(tmp_path / "other", small(rows=9))))
    assert len(load_mnist().X_train) == 9
    assert len(load_mnist(folder).X_train) == 5


def test_missing_files_are_named(folder):
    (folder / mnist.FILES[1]).unlink()
    with pytest.raises(DataError, match="four files of MNIST; came no train-labels-idx1-ubyte"):
        load_mnist(folder)


def test_files_that_do_not_belong_together_are_refused(folder):
    write_idx(folder / mnist.FILES[1], np.zeros(4, np.uint8))
    with pytest.raises(FileFormatError, match=r"expected bytes of shape \(5,\); came uint8 of"):
        load_mnist(folder)


def test_images_of_two_sizes_are_refused(folder):
    write_idx(folder / mnist.FILES[2], np.zeros((3, 4, 5), np.uint8))
    with pytest.raises(FileFormatError, match=r"images of \(4, 6\); came \(4, 5\)"):
        load_mnist(folder)


@pytest.mark.parametrize(
    "images",
    [np.zeros((5, 24), np.uint8), np.zeros((5, 4, 6), np.int32), np.zeros((0, 4, 6), "u1")],
)
def test_what_are_no_images_is_refused(folder, images):
    write_idx(folder / mnist.FILES[0], images)
    with pytest.raises(FileFormatError, match="expected bytes of shape .rows, height, width"):
        load_mnist(folder)


@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_without_network_the_message_says_what_to_do(monkeypatch, kind):
    def refuse(*arguments, **options):
        raise kind("no network in tests")

    monkeypatch.setattr(mnist, "fetch_openml", refuse)
    with pytest.raises(DataError, match="no network in tests.*Put the four files in a folder"):
        load_mnist()


def openml(images, labels):
    """As fetch_openml answers: float pixels, labels as text."""
    calls = []

    def fetch(name, *, version, return_X_y, as_frame, parser):
        calls.append((name, version, return_X_y, as_frame, parser))
        return images.astype(np.float64), labels.astype(str).astype(object)

    return fetch, calls


def test_the_real_files(mnist_folder):
    data = load_mnist(mnist_folder)
    assert data.X_train.shape == (60_000, 784)
    assert data.X_test.shape == (10_000, 784)
    assert data.n_classes == 10
    train_counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test_counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(data.y_train).tolist() == train_counts
    assert np.bincount(data.y_test).tolist() == test_counts
    assert data.X_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert mnist._digest(data) == mnist.SHA256
    assert "60000 rows to learn from, 10000 to test with, 784 columns (28 × 28)" in repr(data)


def test_download_once_then_the_cache(mnist_folder, monkeypatch, tmp_path):
    real = load_mnist(mnist_folder)
    fetch, calls = openml(
        np.concatenate([real.X_train, real.X_test]), np.concatenate([real.y_train, real.y_test])
    )
    monkeypatch.setattr(mnist, "fetch_openml", fetch)
    first = load_mnist()
    second = load_mnist()
    assert calls == [("mnist_784", 1, True, False, "liac-arff")]
    for data in (first, second):
        np.testing.assert_array_equal(data.X_train, real.X_train)
        np.testing.assert_array_equal(data.y_test, real.y_test)
        assert data.X_train.dtype == np.uint8

    cache = tmp_path / "home" / "chainrule" / "mnist"
    images = cache / mnist.FILES[0]
    damaged = bytearray(images.read_bytes())
    damaged[-1] ^= 1
    images.write_bytes(damaged)
    np.testing.assert_array_equal(load_mnist().X_train, real.X_train)
    assert len(calls) == 2
    shutil.rmtree(cache)


def test_a_download_that_is_not_mnist_is_refused_and_not_kept(monkeypatch, tmp_path):
    images = np.zeros((mnist.ROWS, 784), np.uint8)
    fetch, _ = openml(images, np.zeros(mnist.ROWS, int))
    monkeypatch.setattr(mnist, "fetch_openml", fetch)
    with pytest.raises(DataError, match=f"MNIST from OpenML: expected SHA-256 {mnist.SHA256}"):
        load_mnist()
    assert not (tmp_path / "home").exists()
