"""What `ldrt app` says before it loads anything; the page itself is in trying/test_page.py."""

import shutil
import socket

import pytest

import ldrt


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


def test_what_cannot_be_is_one_line_before_anything_is_loaded(taken, dataset_folder, tmp_path, capsys):
    no_test = shutil.copytree(dataset_folder, tmp_path / "no-test")
    for path in no_test.glob("*/test-*.parquet"):
        path.rename(path.with_name(path.name.replace("test", "train")))
    for words, said in (
        (["--port", taken], f"cannot listen on 127.0.0.1, port {taken} (Address already in use)"),
        (["--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1"),  # an address of nobody's
        (["--host", "nowhere.invalid"], "cannot listen on nowhere.invalid"),
        (
            ["--base_revision", "0" * 40, "--port", "0"],
            "--base_revision is a Hub commit of something that is not given",
        ),
        (["--dataset", str(dataset_folder), "--dataset_revision", "0" * 40], "leave out --dataset_revision"),
        (["--dataset", str(no_test), "--port", "0"], "no split 'test' to take examples from; it has train"),
    ):
        assert ldrt.main(["app", "no/such-model", *words]) == 2, words
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert said in error
