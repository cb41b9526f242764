"""Which run a folder holds: finished, to be continued or another one, by content and by every option that matters."""

import dataclasses
import json
import shutil

import pytest
from datasets import Dataset, load_dataset
from safetensors.torch import save_file
from trl import ModelConfig, SFTConfig

from dataset_builder.schema import EXAMPLES
from recipes import sft
from recipes.keys.recipe import Recipe
from recipes.training.checkpoints import COMPLETE
from recipes.training.examples import files_of_split, load_examples
from recipes.training.identity import HARMLESS, changed_options, difference
from recipes.training.options import parse
from tests.recipes.conftest import ROOT, example, options, tensors, write_dataset

OTHER_RUN = "holds another run"


@pytest.fixture
def finished(phase2, tmp_path):
    """A copy of the finished phase 2, to be looked at by another command."""
    return shutil.copytree(phase2, tmp_path / "finished")


def interrupt(folder):
    """The folder as a kill before the end leaves it: begun, and not finished."""
    (folder / "lineage.json").unlink()
    return folder


def refused(words) -> str:
    with pytest.raises(ValueError, match=OTHER_RUN) as error:
        sft.main(words)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- the model that it starts from


@pytest.fixture(scope="module")
def new_phase1(phase1, tmp_path_factory):
    """Phase 1 trained anew: other weights of the projector, all else the same."""
    folder = tmp_path_factory.mktemp("runs") / "phase1"
    shutil.copytree(phase1, folder)
    weights = {name: tensor.clone() for name, tensor in tensors(phase1).items()}
    weights["multi_modal_projector.linear_2.bias"] += 1e-3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("is_finished", [True, False], ids=["finished", "interrupted"])
def test_phase_2_on_a_new_phase_1_is_another_run(new_phase1, dataset, finished, is_finished):
    folder = finished if is_finished else interrupt(finished)
    said = refused(options(2, new_phase1, dataset, folder))
    assert "the model that it starts from, start_revision 'sha256:" in said


def test_where_the_model_and_the_rows_lie_says_nothing(phase1, dataset, finished, tmp_path, capsys):
    moved = shutil.copytree(phase1, tmp_path / "moved"), shutil.copytree(dataset, tmp_path / "rows")
    assert sft.main(options(2, *moved, finished)) == 0
    assert "finished run already" in capsys.readouterr().out


# --- rows


def test_other_rows_of_the_same_folder_are_trained_on_and_are_another_run(base, tmp_path):
    """`datasets` gives the old rows of a folder that was written anew."""
    folder = write_plain(tmp_path / "rows", {"train": [1, 2]})
    rows, before = load_examples(str(folder), "detail", "train", None)
    assert rows["example_id"] == ["1/detail", "2/detail"]
    write_plain(folder, {"train": [3, 4, 5]})
    rows, after = load_examples(str(folder), "detail", "train", None)
    assert rows["example_id"] == ["3/detail", "4/detail", "5/detail"]
    assert before["dataset_sha256"] != after["dataset_sha256"]


def write_plain(folder, splits):
    """A dataset folder whose card says nothing of its content; split -> numbers of its examples."""
    (folder / "detail").mkdir(parents=True, exist_ok=True)
    for split, numbers in splits.items():
        rows = Dataset.from_list([example(number, "detail") for number in numbers], features=EXAMPLES)
        rows.to_parquet(folder / "detail" / f"{split}-0.parquet")
    files = [{"split": split, "path": f"detail/{split}-*.parquet"} for split in splits]
    card = f"---\nconfigs:\n- config_name: detail\n  data_files: {json.dumps(files)}\n---\n"
    (folder / "README.md").write_text(card)
    return folder


@pytest.mark.parametrize("split", ["train+validation", "validation[:1]+train", "all", "train[:50%]+validation[1:]"])
def test_every_file_of_the_splits_counts(tmp_path, split):
    folder = write_plain(tmp_path / "rows", {"train": [1, 2], "validation": [3, 4]})
    first = load_examples(str(folder), "detail", split, None)[1]["dataset_sha256"]
    write_plain(folder, {"train": [1, 2], "validation": [3, 5]})
    second = load_examples(str(folder), "detail", split, None)[1]["dataset_sha256"]
    alone = load_examples(str(folder), "detail", "train", None)[1]["dataset_sha256"]
    assert len({first, second, alone}) == 3
    write_plain(folder, {"train": [1, 2], "validation": [3, 4]})
    assert load_examples(str(folder), "detail", split, None)[1]["dataset_sha256"] == first


def test_files_of_other_splits_do_not_count():
    files = {"train": ["b", "a"], "validation": ["c"], "test": ["d"]}
    assert files_of_split(files, "train[10%:20%]") == ["b", "a"]
    assert files_of_split(files, "train+test[:3]") == ["d", "b", "a"]
    assert files_of_split(files, "all") == ["d", "b", "a", "c"]


def test_the_order_of_files_on_the_card_is_the_order_of_rows_and_another_run(tmp_path):
    folder = write_dataset(tmp_path / "rows")
    rows, before = load_examples(str(folder), "instruct", "train", None)
    card = folder / "README.md"
    there, turned = (
        '["detail/train-*.parquet", "reasoning/train-*.parquet"]',
        ('["reasoning/train-*.parquet", "detail/train-*.parquet"]'),
    )
    assert there in card.read_text()
    card.write_text(card.read_text().replace(there, turned))
    turned_rows, after = load_examples(str(folder), "instruct", "train", None)
    assert turned_rows["example_id"] != rows["example_id"]
    assert before["dataset_sha256"] != after["dataset_sha256"]


def test_other_rows_are_another_run(phase1, dataset, finished, tmp_path):
    other = shutil.copytree(dataset, tmp_path / "rows")
    path = next((other / "detail").glob("train-*.parquet"))
    rows = load_dataset("parquet", data_files=str(path), split="train").select(range(31))
    rows.to_parquet(path)
    assert "the content of its rows, dataset_sha256" in refused(options(2, phase1, other, finished))


def test_held_out_rows_count_where_they_are_looked_at(phase1, tmp_path, finished):
    """A finished run that looked at others is another run; one that looks at none has no such rows."""
    folder = write_dataset(tmp_path / "rows")
    evaluated = {"eval_strategy": "steps", "eval_steps": 2}
    output = tmp_path / "run"
    assert sft.main(options(2, phase1, folder, output, **evaluated)) == 0
    path = next((folder / "detail").glob("validation-*.parquet"))
    rows = load_dataset("parquet", data_files=str(path), split="train").select(range(3))
    rows.to_parquet(path)
    assert "the content of its held-out rows, held_out_sha256" in refused(
        options(2, phase1, folder, output, **evaluated)
    )


# --- templates


def test_templates_are_compared_by_content(phase1, dataset, finished, tmp_path, capsys):
    text = (ROOT / "recipes/templates/vicuna_v1.jinja").read_text(encoding="utf-8")
    same, other = tmp_path / "mine.jinja", tmp_path / "vicuna_v1.jinja"
    same.write_text(text, encoding="utf-8")
    other.write_text(text.replace("helpful, detailed,", "short"), encoding="utf-8")
    assert sft.main(options(2, phase1, dataset, finished, chat_template_path=same)) == 0
    assert "finished run already" in capsys.readouterr().out
    said = refused(options(2, phase1, dataset, finished, chat_template_path=other))
    assert "chat_template_sha256" in said
    assert "train_template_sha256" in refused(options(2, phase1, dataset, finished, train_template_path=other))


# --- options

HARMFUL = {
    "weight_decay": 0.1,
    "max_grad_norm": 0.5,
    "seed": 1,
    "data_seed": 7,
    "lora_r": 16,
    "use_rslora": "true",
    "lora_target_modules": "q_proj",
    "neftune_noise_alpha": 5,
    "label_smoothing_factor": 0.1,
    "optim_args": "fused=false",
    "lr_scheduler_kwargs": '{"num_cycles": 2}',
    "dataloader_drop_last": "true",
    "full_determinism": "true",
    "gradient_accumulation_steps": 2,
    "train_earlier_answers": "true",
    "train_article_share": 0.5,
    "dataset_train_split": "train[:50%]",
    "projector_learning_rate": 1e-5,
    "max_length": 2048,
    "eval_strategy": "steps",
}
SAID_AS = {
    "eval_strategy": "eval_steps",  # which Trainer sets with it
    "gradient_accumulation_steps": "global_batch_size",
    "dataset_train_split": "dataset_split",
    "train_article_share": "article_share",
}
LEFT_ALONE = {
    "logging_steps": 7,
    "save_total_limit": 5,
    "save_steps": 17,
    "dataloader_num_workers": 2,
    "per_device_eval_batch_size": 3,
    "run_name": "again",
    "disable_tqdm": "true",
    "log_level": "error",
}


@pytest.mark.parametrize("key", sorted(HARMFUL))
def test_an_option_that_changes_what_is_trained_makes_another_run(phase1, dataset, finished, key):
    assert SAID_AS.get(key, key) in refused(options(2, phase1, dataset, finished, **{key: HARMFUL[key]}))


def test_options_that_change_nothing_leave_a_finished_run_alone(phase1, dataset, finished, capsys):
    assert sft.main(options(2, phase1, dataset, finished, **LEFT_ALONE)) == 0
    smaller = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}  # the same step
    assert sft.main(options(2, phase1, dataset, finished, **smaller)) == 0
    assert capsys.readouterr().out.count("finished run already") == 2


def test_every_option_that_is_not_known_to_be_harmless_is_compared(base, dataset, tmp_path):
    """Also those that a later version of TRL or Transformers brings."""
    recipe, args, model_args = parse(options(2, base, dataset, tmp_path))
    before = changed_options(recipe, args, model_args)
    compared, known = set(), set()
    for held in (recipe, args, model_args):
        for field in dataclasses.fields(held):
            known.add(field.name)
            if not field.init:
                continue
            old = getattr(held, field.name)
            object.__setattr__(held, field.name, "quite another value")
            if field.name not in ("load_best_model_at_end", "trainable"):  # which decide what else is compared
                compared |= {field.name} if changed_options(recipe, args, model_args) != before else set()
            object.__setattr__(held, field.name, old)
    assert known >= HARMLESS
    inits = {f.name for kind in (Recipe, SFTConfig, ModelConfig) for f in dataclasses.fields(kind) if f.init}
    assert compared == inits - HARMLESS - {"load_best_model_at_end", "trainable"}


def test_when_checkpoints_are_saved_counts_where_the_best_is_chosen(base, dataset, tmp_path):
    best = {"load_best_model_at_end": "true", "eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps"}
    found = [changed_options(*parse(options(1, base, dataset, tmp_path, save_steps=steps, **best))) for steps in (2, 4)]
    assert found[0] != found[1]


def test_a_file_that_an_option_names_is_compared_by_content(base, dataset, tmp_path):
    path = tmp_path / "fsdp.json"
    recipe, args, model_args = parse(options(1, base, dataset, tmp_path))
    found = []
    for text in ("{}", '{"a": 1}', "{}"):
        path.write_text(text)
        args.lr_scheduler_kwargs = str(path)
        found.append(changed_options(recipe, args, model_args)["lr_scheduler_kwargs"])
    assert found[0] == found[2] != found[1]


def test_the_line_names_what_differs_and_how_much_more():
    entry = {"trainable": "lora", "dataset_sha256": "a" * 64, "settings": {"lora_r": 8, "seed": 1}}
    assert difference(entry, entry) is None
    assert difference({**entry, "steps": 4}, entry) is None  # a result
    other = {**entry, "settings": {"lora_r": 16}}
    assert difference(entry, other) == "lora_r 8 there, 16 here, and 1 more"
    assert difference(entry, {**entry, "rows_made_by": "b"}) == (
        "the code that makes its rows, rows_made_by not noted there, 'b' here"
    )


# --- folders


def test_checkpoints_that_nothing_is_known_of_are_not_gone_on_from(phase1, dataset, tmp_path):
    (tmp_path / "checkpoint-2").mkdir()
    (tmp_path / "checkpoint-2" / COMPLETE).touch()
    with pytest.raises(ValueError, match=r"checkpoint-2 is of a run that nothing is known of: choose another"):
        sft.main(options(2, phase1, dataset, tmp_path))


def test_a_finished_run_without_its_weights_is_not_called_finished(phase1, dataset, finished):
    weights = finished / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="adapter_model.safetensors"):
        sft.main(options(2, phase1, dataset, finished))
