"""Options of a cluster: none is ignored in silence, and a job's time is one that sbatch takes."""

import pytest

import ldrt

FETCH = ("fetch", "--ids", "ids", "--contact", "a@b.org", "--output", "out")
BUILD = ("build", "articles", "--output", "out")
WRONG = [
    (["--partition", "gpu"], "--partition without --executor slurm"),
    (["--tasks", "3"], "--tasks without --executor slurm or ray"),
    (["--time", "10:00", "--tasks", "3"], "--tasks, --time without --executor slurm"),
    (["--sbatch_args.account", "me"], "--sbatch_args without --executor slurm"),
    (["--executor", "ray", "--partition", "gpu"], "--partition without --executor slurm"),
    (["--executor", "slurm"], "--executor slurm needs --partition"),
    *[(["--executor", "slurm", "--partition", "gpu", "--time", time], f"--time '{time}'") for time in ("4h", "1-2-3")],
]


@pytest.mark.parametrize("command", [BUILD, FETCH], ids=lambda words: words[0])
@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_does_not_fit_is_one_line_before_anything_is_written(
    command, words, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles").mkdir()
    (tmp_path / "ids").write_text("PMC1\n")
    assert ldrt.main([*command, *words]) == 2
    assert f"ldrt {command[0]}: {message}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("time", ["90", "90:00", "4:00:00", "24:00:00", "2-0", "2-12:30", "2-12:30:00", "UNLIMITED"])
def test_every_form_that_sbatch_takes_is_taken(time):
    from dataset_builder import build

    words = [*BUILD[1:], "--executor", "slurm", "--partition", "gpu", "--time", time]
    assert ldrt.parse(build.Options, words, prog="ldrt build").time == time
