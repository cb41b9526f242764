import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from evaluation.judging import likelihood

CHAT = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TURNS = ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
WORDS = ["how", "good", "is", "the", "answer", "SCORE", ":"]
RUBRICS = [[{"role": "user", "content": " ".join((WORDS * 4)[: 3 + 5 * i])}] for i in range(4)]


def save(folder, weights, template, **settings):
    """A Llama of one layer; each digit is a token, so `1` is the beginning of `10`. `weights` fills the model."""
    vocabulary = ["<unk>", "<s>", "</s>", *TURNS, *WORDS, *"0123456789/"]
    ids = {word: i for i, word in enumerate(dict.fromkeys(vocabulary))}
    words = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(True)])
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "extra_special_tokens": TURNS}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, **special)
    tokenizer.chat_template = template
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(ids), bos_token_id=1, eos_token_id=2, pad_token_id=None, **size | settings)
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        weights(model, ids)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def at_random(model, ids):
    for parameter in model.parameters():
        parameter.normal_(std=0.5)


@pytest.fixture(scope="module", params=[CHAT, None], ids=["chat", "plain"])
def judge(request, tmp_path_factory):
    return likelihood.load(save(tmp_path_factory.mktemp("judge"), at_random, request.param), dtype="float32")


def by_hand(judge, messages):
    """The eleven likelihoods of whole conversations, one at a time, without cache or padding."""
    if judge.tokenizer.chat_template:
        prompt, end = f"<s><|user|>{messages[0]['content']}<|end|>\n<|assistant|>", "<|end|>"
    else:
        prompt, end = f"<s>{messages[0]['content']}\n\n", "</s>"
    start = judge.tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids
    values = []
    for n in range(11):
        answer = judge.tokenizer(f"SCORE: {n}{end}", return_tensors="pt", add_special_tokens=False).input_ids
        whole = torch.cat([start, answer], 1)
        log_p = judge.model(whole).logits[0, start.shape[1] - 1 : -1].detach().log_softmax(-1)
        values.append(float(log_p.gather(1, answer[0][:, None]).sum()))
    return torch.tensor(values, dtype=torch.float64)


def test_the_score_is_the_expectation_over_the_complete_answers(judge):
    for messages, record in zip(RUBRICS, judge.score(RUBRICS), strict=True):
        expected = by_hand(judge, messages).softmax(0)
        reply = json.loads(record["reply"])
        assert record["status"] == "ok"
        assert record["finish_reason"] == "stop"
        assert reply["probabilities"] == pytest.approx(expected.tolist(), abs=1e-5)
        assert record["score"] == pytest.approx(float(expected @ torch.arange(11.0, dtype=torch.float64)), abs=1e-4)
        assert reply["most_likely"] == int(expected.argmax())
        assert 0 < reply["mass"] <= 1


def test_a_batch_of_sixteen_gives_the_numbers_of_one(judge):
    conversations = RUBRICS * 4
    alone, together = ([], [])
    for size, scores in ((1, alone), (16, together)):
        judge.batch_size = size
        scores.extend(record["score"] for record in judge.score(conversations))
    assert together == pytest.approx(alone, abs=1e-4)
    assert len(set(alone[:4])) == 4
    assert alone[:4] == pytest.approx(alone[4:8], abs=1e-6)


SIZE = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SIZE |= {"num_key_value_heads": 2, "max_position_embeddings": 99, "pad_token_id": 0}


@pytest.mark.parametrize(
    "config",
    [
        Qwen2Config(**SIZE),
        MistralConfig(**SIZE, sliding_window=8),
        Gemma2Config(**SIZE, sliding_window=8, head_dim=8),
        GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=99),
    ],
    ids=lambda config: config.model_type,
)
def test_other_models_sliding_windows_and_padding(judge, config):
    config.vocab_size = len(judge.tokenizer)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    other = likelihood.Judge(model, judge.tokenizer, "r", batch_size=4)
    for messages, record in zip(RUBRICS, other.score(RUBRICS), strict=True):
        expected = by_hand(other, messages).softmax(0)
        assert json.loads(record["reply"])["probabilities"] == pytest.approx(expected.tolist(), abs=1e-5)


def bigrams(model, ids):
    """Hand-made probabilities of the next token given the last one: `SCORE:` is followed by 1 (0.6) or 7 (0.4), the 1
    by 0 (0.9) or the end (0.1). Attention and MLP add nothing, and the norm multiplies a unit vector by √32."""
    table = torch.full((len(ids), len(ids)), 1e-9)
    for last, following, probability in [(":", "1", 0.6), (":", "7", 0.4), ("1", "0", 0.9), ("1", "</s>", 0.1)]:
        table[ids[last], ids[following]] = probability
    table[ids["0"], ids["</s>"]] = table[ids["7"], ids["</s>"]] = 1
    layer = model.model.layers[0]
    layer.self_attn.o_proj.weight.zero_()
    layer.mlp.down_proj.weight.zero_()
    model.model.embed_tokens.weight.copy_(torch.eye(len(ids), 32))
    model.lm_head.weight.zero_()
    model.lm_head.weight[:, : len(ids)] = table.log().T / math.sqrt(32)


def test_a_one_is_not_the_beginning_of_a_ten(tmp_path):
    (record,) = likelihood.load(save(tmp_path, bigrams, None)).score([RUBRICS[0]])
    reply = json.loads(record["reply"])
    assert reply["probabilities"] == pytest.approx([0, 0.06, 0, 0, 0, 0, 0, 0.4, 0, 0, 0.54], abs=1e-4)
    assert reply["most_likely"] == 10
    assert reply["mass"] == pytest.approx(1, abs=1e-4)
    assert record["score"] == pytest.approx(0.06 * 1 + 0.4 * 7 + 0.54 * 10, abs=1e-3)


def test_a_rubric_longer_than_the_context_is_not_cut(tmp_path):
    judge = likelihood.load(save(tmp_path, at_random, CHAT, max_position_embeddings=18))
    short, long = judge.score([RUBRICS[0], RUBRICS[3]])
    assert short["status"] == "ok"
    assert (long["status"], long["score"], long["finish_reason"]) == ("truncated", None, "length")
    assert "the judge reads 18" in long["error"]


def test_probabilities_that_are_no_numbers_are_an_error(tmp_path):
    judge = likelihood.load(save(tmp_path, at_random, None))
    judge.model.lm_head.weight.data.fill_(float("nan"))
    (record,) = judge.score([RUBRICS[0]])
    assert (record["status"], record["score"]) == ("error", None)
    assert "not finite" in record["error"]


def test_a_judge_is_pinned_and_is_a_language_model(judge, tiny_llava, tmp_path):
    assert judge.revision.startswith("sha256:")
    with pytest.raises(ValueError, match="tiny-llava: no causal language model that transformers can load"):
        likelihood.load(str(tiny_llava))
    config = {"peft_type": "LORA", "base_model_name_or_path": str(tiny_llava)}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    shutil.copy(tiny_llava / "model.safetensors", tmp_path / "adapter_model.safetensors")
    with pytest.raises(ValueError, match="is an adapter: merge it first"):
        likelihood.load(str(tmp_path))
    folder = Path(save(tmp_path / "pickled", at_random, None))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="only pickles"):
        likelihood.load(str(folder))
    with pytest.raises(FileNotFoundError, match="no/such/judge"):
        likelihood.load("no/such/judge")
