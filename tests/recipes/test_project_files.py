"""Files of the project: found from any folder, and missed aloud."""

import pytest

from recipes import project_files
from recipes.project_files import ROOT, find_file, launch_configs, name_in_project, project_file, read_template

TEMPLATE = "recipes/templates/vicuna_v1.jinja"


def test_a_file_of_the_project_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_file(TEMPLATE) == project_file(TEMPLATE) == ROOT / TEMPLATE
    assert "USER" in read_template(TEMPLATE)
    assert read_template(None) is None


def test_a_file_of_ones_own_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / TEMPLATE
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    assert read_template(TEMPLATE) == "mine"
    assert project_file(TEMPLATE) == ROOT / TEMPLATE


def test_what_is_not_there_is_an_error_that_names_it(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no file recipes/none.yaml"):
        find_file("recipes/none.yaml")
    monkeypatch.setattr(project_files, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match="no launch configs in"):
        launch_configs()


def test_a_file_is_named_within_the_project_or_by_its_name_alone(tmp_path):
    assert name_in_project(ROOT / TEMPLATE) == TEMPLATE
    assert name_in_project(tmp_path / "mine.yaml") == "mine.yaml"
