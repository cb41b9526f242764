"""The gate on folders: what is let through, and what is refused, each with one line that says what to do."""

import json
import os

import numpy
import pytest
from safetensors.numpy import save_file

from tests.trust.conftest import write_adapter, write_checkpoint, write_sharded
from trust.checkpoints import open_base, open_checkpoint
from trust.errors import RefusedError

COMMIT = "a" * 40


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"auto_map": {}},
        {"auto_map": {"AutoConfig": "configuration_llava.Config"}},  # Transformers has a class for `llava`
        {"attn_implementation": "sdpa", "use_pretrained_backbone": False, "transformers_weights": None},
        {"text_config": {"_attn_implementation": "flash_attention_2"}},
        {"_name_or_path": "/somewhere/else"},  # nothing reads it
    ],
)
def test_ordinary_checkpoints_pass(tmp_path, config):
    folder = write_checkpoint(tmp_path / "model", **config)
    opened = open_checkpoint(str(folder))
    assert (opened.folder, opened.commit, opened.is_adapter) == (folder, None, False)
    assert opened.revision.startswith("sha256:")


def test_what_is_never_opened_may_lie_beside(checkpoint):
    for name in ("pytorch_model.bin", "optimizer.pt", "modeling_llava.py", "notes.txt"):
        (checkpoint / name).write_bytes(b"\x80\x04.")
    os.mkfifo(checkpoint / "pipe")
    (checkpoint / "pytorch_model.bin.index.json").write_text("{")
    assert open_checkpoint(str(checkpoint)).folder == checkpoint


def test_sharded_weights_pass(tmp_path):
    assert open_checkpoint(str(write_sharded(tmp_path / "model"))).commit is None


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"b": "weights.bin"}, "names 'weights.bin'"),
        ({"b": "../outside.safetensors"}, r"names '\.\./outside.safetensors'"),
        ({"b": "/outside.safetensors"}, "names '/outside.safetensors'"),
        ({"b": "sub/model.safetensors"}, "names 'sub/model.safetensors'"),
        ({"b": "..\\outside.safetensors"}, "names "),
        ({"b": "model-3-of-3.safetensors"}, "names model-3-of-3.safetensors, which is absent"),
        ({"c": "model-1-of-2.safetensors"}, "does not hold c"),
        ({"b": 7}, "is no index of weights"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_an_index_names_safetensors_of_its_folder_alone(tmp_path, weight_map, message, whole):
    folder = write_sharded(tmp_path / "model", **weight_map)
    save_file({"b": numpy.ones(2)}, tmp_path / "outside.safetensors")
    (folder / "weights.bin").write_bytes(b"\x80\x04.")
    if whole and "names '" in message:  # refused even where the weights are there without it
        save_file({"a": numpy.ones(2), "b": numpy.ones(2)}, folder / "model.safetensors")
    with pytest.raises(RefusedError, match=message):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"weight_map": []}', '{"weight_map": {}}', "{}", "[" * 100_000])
def test_a_broken_index_is_refused(tmp_path, content):
    folder = write_sharded(tmp_path / "model")
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(RefusedError, match="is no index of weights"):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth", "model.ckpt", "weights.pkl"])
def test_pickles_alone_are_refused_and_nobody_is_told_to_open_them(checkpoint, name):
    (checkpoint / "model.safetensors").rename(checkpoint / name)
    with pytest.raises(RefusedError, match="no weights as safetensors .*only pickles") as refused:
        open_checkpoint(str(checkpoint))
    for word in ("weights_only", "trust_remote_code", "torch.load", "use_safetensors"):
        assert word not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\xff" * 64, b"\x10\0\0\0\0\0\0\0{not json at all}"])
def test_weights_that_are_no_safetensors_are_refused(checkpoint, content):
    (checkpoint / "model.safetensors").write_bytes(content)
    with pytest.raises(RefusedError, match="cannot be read as safetensors"):
        open_checkpoint(str(checkpoint))


@pytest.mark.parametrize(
    ("file", "config"),
    [
        ("config.json", {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}),
        ("config.json", {"model_type": "llava", "text_config": {"auto_map": {"AutoModel": "other/repo--evil.Model"}}}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}),
        ("processor_config.json", {"auto_map": {"AutoProcessor": "evil.Processor"}}),
        ("config.json", {"vision_config": {"architecture": "hf-hub:somebody/model"}}),
        ("config.json", {"vision_config": {"architecture": " HF_hub\t:somebody/model"}}),
        ("config.json", {"vision_config": {"architecture": "local-dir:/elsewhere"}}),
        ("config.json", {"vision_config": {"model_args": {"checkpoint_path": "weights.bin"}}}),
        ("config.json", {"custom_generate": "somebody/code"}),
        ("generation_config.json", {"custom_generate": "somebody/code"}),
        ("preprocessor_config.json", {"image_processor": {"auto_map": {"AutoImageProcessor": "evil.Pictures"}}}),
        ("processor_config.json", {"audio_tokenizer": {"audio_tokenizer_name_or_path": "other/repo"}}),
        ("config.json", {"model_type": "llava", "attn_implementation": "other/kernel"}),
        ("config.json", {"model_type": "llava", "text_config": {"_attn_implementation": {"": "other/kernel@main"}}}),
        ("config.json", {"model_type": "llava", "experts_implementation": "other/kernel:run"}),
        ("config.json", {"model_type": "llava", "transformers_weights": "weights.bin"}),
        ("config.json", {"model_type": "llava", "vision_config": {"use_pretrained_backbone": True}}),
        ("generation_config.json", {"layers": [{"auto_map": {"a": "b"}}]}),
    ],
)
def test_a_configuration_that_names_code_or_other_weights_is_refused(checkpoint, file, config):
    (checkpoint / file).write_text(json.dumps(config))
    with pytest.raises(RefusedError, match=f"{file} names .* never run or read"):
        open_checkpoint(str(checkpoint))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', "[" * 100_000, "\xff"])
def test_a_configuration_that_is_no_json_object_is_refused(checkpoint, content):
    (checkpoint / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(RefusedError, match=r"config.json (is not JSON|holds no JSON object)"):
        open_checkpoint(str(checkpoint))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_links_out_of_the_folder_are_refused(checkpoint, tmp_path, name):
    target = tmp_path / "outside"
    (checkpoint / name).rename(target) if (checkpoint / name).exists() else target.write_text("{}")
    (checkpoint / name).symlink_to(target)
    with pytest.raises(RefusedError, match="is a link out of its folder"):
        open_checkpoint(str(checkpoint))


def test_links_within_the_folder_and_to_it_pass(checkpoint, tmp_path):
    (checkpoint / "model.safetensors").rename(checkpoint / "v2.safetensors")
    (checkpoint / "model.safetensors").symlink_to("v2.safetensors")
    (tmp_path / "latest").symlink_to(checkpoint)
    assert open_checkpoint(str(tmp_path / "latest")).folder.name == "latest"


def test_the_layout_of_the_hubs_cache_passes_and_another_one_does_not(checkpoint, tmp_path):
    snapshot, blobs = tmp_path / "models--a--b" / "snapshots" / COMMIT, tmp_path / "models--a--b" / "blobs"
    snapshot.parent.mkdir(parents=True)
    blobs.mkdir()
    checkpoint.rename(snapshot)
    for path in list(snapshot.iterdir()):
        path.rename(blobs / f"hash-{path.name}")
        path.symlink_to(f"../../blobs/hash-{path.name}")
    assert open_checkpoint(str(snapshot)).folder == snapshot
    elsewhere = snapshot.rename(tmp_path / "models--a--b" / COMMIT)
    with pytest.raises(RefusedError, match="is a link out of its folder|is no regular file"):
        open_checkpoint(str(elsewhere))


def test_a_pipe_in_the_place_of_a_file_does_not_hang(checkpoint):
    os.mkfifo(checkpoint / "generation_config.json")
    with pytest.raises(RefusedError, match="is no regular file"):
        open_checkpoint(str(checkpoint))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("runs/phase1", "there is no folder runs/phase1"),
        ("checkpoints/x", "there is no folder"),
        ("mine/phase1", "there is no folder mine/phase1"),  # mine/ is here
        ("./x", "there is no folder"),
        ("../x/y", "there is no folder"),
        ("/gone", "there is no folder"),
        ("a/b/c", "there is no folder"),
        ("~/x", "there is no folder"),
        ("mine/file", "is a file"),
        ("mine", "no checkpoint there"),
    ],
)
def test_a_name_that_can_only_be_a_folders_is_not_looked_for_on_the_hub(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(FileNotFoundError, match=message):
        open_checkpoint(name)


# ---- adapters


def test_an_adapter_on_a_folder(checkpoint, tmp_path):
    adapter = open_checkpoint(str(write_adapter(tmp_path / "adapter", str(checkpoint))))
    assert adapter.is_adapter
    assert open_base(adapter).folder == checkpoint


def test_the_base_must_be_the_one_that_the_lineage_has_the_hash_of(checkpoint, tmp_path):
    folder = write_adapter(tmp_path / "adapter", str(checkpoint))
    phase = {"trainable": "lora", "start_revision": open_checkpoint(str(checkpoint)).revision}
    (folder / "lineage.json").write_text(json.dumps({"base_model": "x", "base_revision": None, "phases": [phase]}))
    adapter = open_checkpoint(str(folder))
    assert open_base(adapter).folder == checkpoint
    save_file({"a": numpy.zeros(2)}, checkpoint / "model.safetensors")
    with pytest.raises(RefusedError, match="is not the checkpoint that .* was trained on"):
        open_base(adapter)
    assert open_base(adapter, str(checkpoint)).folder == checkpoint  # whoever names it knows


@pytest.mark.parametrize("base", ["runs/phase1", "lab/phase1", "../phase1", "/gone/phase1", "phase1", "a/b/c"])
@pytest.mark.parametrize("revision", [None, "main", "v1"])
def test_a_base_that_is_no_folder_and_no_commit_is_asked_for(tmp_path, monkeypatch, base, revision):
    """`runs/phase1` was a folder to whoever trained on it; on the Hub it is whose who takes the name first."""
    monkeypatch.chdir(tmp_path)
    adapter = open_checkpoint(str(write_adapter(tmp_path / "adapter", base, revision=revision)))
    with pytest.raises(FileNotFoundError, match="no folder here, and names no commit .*--base"):
        open_base(adapter)


@pytest.mark.parametrize("base", ["base", "../ck/base", "./base", "lab/base"])
def test_a_relative_base_is_taken_only_by_its_hash(tmp_path, monkeypatch, base):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    folder = write_checkpoint(here / base)
    adapter = write_adapter(tmp_path / "adapter", base)
    with pytest.raises(FileNotFoundError, match="a folder here whose hash it does not name, .*--base"):
        open_base(open_checkpoint(str(adapter)))
    phase = {"trainable": "lora", "start_revision": open_checkpoint(str(folder)).revision}
    (adapter / "lineage.json").write_text(json.dumps({"base_model": base, "base_revision": None, "phases": [phase]}))
    assert open_base(open_checkpoint(str(adapter))).folder.resolve() == folder.resolve()


@pytest.mark.parametrize("base", ["runs/phase1", "outputs/phase1", "mine/phase1"])
def test_a_folders_name_with_a_commit_is_not_asked_of_the_hub(tmp_path, monkeypatch, base):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileNotFoundError, match="no folder here, and names no commit"):
        open_base(open_checkpoint(str(write_adapter(tmp_path / "adapter", base, revision="0" * 40))))


def test_a_name_that_is_too_long_is_one_line(checkpoint, tmp_path):
    adapter = open_checkpoint(str(write_adapter(tmp_path / "adapter", "x" * 5_000)))
    with pytest.raises(RefusedError, match="a base of 5,000 characters, 'x{40}'…: give the checkpoint"):
        open_base(adapter)
    assert open_base(adapter, str(checkpoint)).folder == checkpoint
    with pytest.raises(FileNotFoundError, match="5,000 characters"):
        open_checkpoint("x" * 5_000)
    with pytest.raises(FileNotFoundError, match="no folder here"):
        open_base(open_checkpoint(str(write_adapter(tmp_path / "other", "x" * 900))))


@pytest.mark.parametrize("base", [None, "", 7, ["a"]])
def test_an_adapter_without_a_base_is_refused(tmp_path, base):
    with pytest.raises(RefusedError, match="names no base"):
        open_base(open_checkpoint(str(write_adapter(tmp_path / "adapter", base))))


def test_an_adapter_is_nobodys_base(checkpoint, tmp_path):
    itself = write_adapter(tmp_path / "itself", str(tmp_path / "itself"))
    with pytest.raises(RefusedError, match="names itself as its base"):
        open_base(open_checkpoint(str(itself)))
    other = write_adapter(tmp_path / "other", str(write_adapter(tmp_path / "first", str(checkpoint))))
    with pytest.raises(RefusedError, match="another adapter"):
        open_base(open_checkpoint(str(other)))


@pytest.mark.parametrize(
    "config",
    [
        {"peft_type": "PROMPT_TUNING"},
        {"peft_type": None},
        {"corda_config": {"cache_file": "cache.pt"}},
        {"megatron_config": {"a": 1}},
        {"auto_map": {"a": "b"}},
    ],
)
def test_adapters_of_other_kinds_are_refused(checkpoint, tmp_path, config):
    folder = write_adapter(tmp_path / "adapter", str(checkpoint), **config)
    with pytest.raises(RefusedError, match="adapter_config.json"):
        open_checkpoint(str(folder))


def test_an_adapter_that_is_a_pickle_is_refused(checkpoint, tmp_path):
    folder = write_adapter(tmp_path / "adapter", str(checkpoint))
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(RefusedError, match="no adapter_model.safetensors.*only pickles .adapter_model.bin"):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["config.json", "lineage.json", "model.safetensors.index.json"])
def test_json_of_gigabytes_is_refused_by_its_size(checkpoint, name):
    with (checkpoint / name).open("wb") as file:
        file.truncate(8 * 1024**3)  # a hole: takes no room on the disk
    with pytest.raises(ValueError, match=f"{name} has 8,589,934,592 bytes, at most 67,108,864 are read"):
        print(open_checkpoint(str(checkpoint)).lineage)
