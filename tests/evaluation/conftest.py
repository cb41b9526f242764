"""Tiny LLaVA and LLaVA-NeXT checkpoints with random weights, and a dataset folder, made on the spot."""

import json

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from tests.hub_server.fixtures import hub, hub_process, ldrt_client  # noqa: F401 - fixtures

settings.register_profile("shared-machine", deadline=None)  # a busy machine is no failure
settings.load_profile("shared-machine")

TEMPLATE = (
    "{{- bos_token -}}{%- for message in messages -%}{{- message['role'].upper() + ': ' -}}"
    "{%- for part in message['content'] -%}{{- '<image>\n' if part['type'] == 'image' else part['text'] -}}"
    "{%- endfor -%}"
    "{{- ' ' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}"
)
WORDS = "the dose of a lesion may appear in curve red blue left right high low Gy 0 1 2 3 4 5 : . , USER ASSISTANT"
N_ARTICLES = 4
CLIP = {"patch_size": 8, "num_additional_image_tokens": 1}  # CLIP adds one class token


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory):
    """Folder of a LLaVA v1.5-like checkpoint: 16 image tokens a picture."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    folder = tmp_path_factory.mktemp("models") / "tiny-llava"
    tokenizer, images = _tokenizer(), _image_processor("CLIPImageProcessor")
    processor = LlavaProcessor(images, tokenizer, vision_feature_select_strategy="default", **CLIP)
    return _save(folder, processor, LlavaForConditionalGeneration, LlavaConfig)


@pytest.fixture(scope="session")
def tiny_llava_next(tmp_path_factory):
    """Folder of a LLaVA v1.6-like checkpoint: the number of image tokens depends on the picture's shape."""
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration, LlavaNextProcessor

    folder = tmp_path_factory.mktemp("models") / "tiny-llava-next"
    grid = [[32, 64], [64, 32], [64, 64]]
    tokenizer, images = _tokenizer(), _image_processor("LlavaNextImageProcessor", image_grid_pinpoints=grid)
    processor = LlavaNextProcessor(images, tokenizer, vision_feature_select_strategy="default", **CLIP)
    return _save(folder, processor, LlavaNextForConditionalGeneration, LlavaNextConfig, image_grid_pinpoints=grid)


@pytest.fixture(scope="session")
def dataset_folder(tmp_path_factory):
    """Dataset repo folder with configs pairs, detail and reasoning: 4 articles of 2 figures, of three shapes."""
    from datasets import Dataset

    from dataset_builder import schema

    folder = tmp_path_factory.mktemp("data") / "tiny-dataset"
    figures = [(f"A{i // 2}", f"A{i // 2}/fig{i % 2}", _picture(i)) for i in range(2 * N_ARTICLES)]
    pairs = [_pair(*figure) for figure in figures]
    splits = {"pairs": Dataset.from_list(pairs, features=schema.PAIRS)}
    for task in ("detail", "reasoning"):
        rows = [_example(task, *figure, i) for i, figure in enumerate(figures)]
        splits[task] = Dataset.from_list(rows, features=schema.EXAMPLES)
    configs = []
    for name, rows in splits.items():
        (folder / name).mkdir(parents=True)
        rows.to_parquet(folder / name / "test-00000-of-00001.parquet")
        configs.append({"config_name": name, "data_files": [{"split": "test", "path": f"{name}/test-*.parquet"}]})
    (folder / "README.md").write_text(f"---\n{json.dumps({'configs': configs})}\n---\n")
    return folder


def _example(task, article_id, figure_id, picture, i):
    question = "the dose of a lesion" + " : the curve" * (i % 5) + " ?"
    return {
        "images": [picture],
        "prompt": [{"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": f"the {task} curve may appear {i} Gy"}],
        "task": task,
        "example_id": f"{figure_id}/{task}",
        "figure_id": figure_id,
        "article_id": article_id,
        "license": "CC-BY-4.0" if i % 2 else None,
        "licenses": ["CC-BY-4.0" if i % 2 else None],
        "rights": None,
        "teacher": "extractive",
        "prompt_sha256": "0" * 64,
        "kind": None,
        "panel": None,
        "context_of": None,
        "evidence": [{"source": "caption", "sentence": 0}],
        "support": 1.0,
    }


def _pair(article_id, figure_id, picture):
    known = {"image": picture, "caption": f"caption of {figure_id}", "context": ["the dose is 5 Gy."]}
    known |= {"figure_id": figure_id, "article_id": article_id, "license": "CC-BY-4.0"}
    from dataset_builder import schema

    return {column: known.get(column) for column in schema.PAIRS} | {"panels": []}


def _picture(i):
    height, width = [(40, 40), (30, 70), (80, 20)][i % 3]
    return Image.fromarray(np.random.default_rng(i).integers(0, 255, (height, width, 3), dtype=np.uint8))


def _tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = ["<unk>", "<s>", "</s>", "<pad>", "<image>", *WORDS.split(), *"abcdefghijklmnopqrstuvwxyz?/"]
    words = {word: i for i, word in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, extra_special_tokens={"image_token": "<image>"}, **special
    )


def _image_processor(kind, **settings):
    import transformers

    size = {"height": 32, "width": 32}
    return getattr(transformers, kind)(size={"shortest_edge": 32}, crop_size=size, **settings)


def _save(folder, processor, model_class, config_class, **settings):
    import torch
    from transformers import CLIPVisionConfig, LlamaConfig

    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
    special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
    config = config_class(
        vision_config=CLIPVisionConfig(image_size=32, patch_size=8, **size),
        text_config=LlamaConfig(vocab_size=len(processor.tokenizer), num_key_value_heads=4, **special, **size),
        image_token_id=processor.tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="default",
        **settings,
    )
    torch.manual_seed(0)
    model = model_class(config)
    with torch.no_grad():
        for parameter in model.parameters():  # larger than the default, so that pictures and words change the answer
            parameter.normal_(std=0.2)
    model.generation_config.eos_token_id = 2
    model.save_pretrained(folder)
    processor.chat_template = TEMPLATE
    processor.save_pretrained(folder)
    return folder
