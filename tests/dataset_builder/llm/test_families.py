import pytest

from dataset_builder.llm.families import family, family_warning, shared_family


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Qwen/Qwen2-72B-Instruct@abc", "qwen"),
        ("lmsys/vicuna-13b-v1.5", "llama"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama"),
        ("gpt-4o-2024-08-06", "gpt"),
        ("openai/o3-mini", "gpt"),
        ("claude-sonnet-4", "claude"),
        ("mistralai/Mixtral-8x22B", "mistral"),
        ("google/gemma-3-27b-it", "gemma"),
        ("gemini-2.0-pro", "gemini"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "deepseek"),
        ("microsoft/phi-4", "phi"),
        ("extractive", None),
        ("org/radio3", None),
    ],
)
def test_families(model, expected):
    assert family(model) == expected


def test_a_judge_favours_teachers_of_its_own_family():
    teachers = {"Qwen/Qwen2-72B-Instruct@1": 40, "extractive": 8}
    assert shared_family("Qwen/Qwen3-8B", teachers) == "qwen"
    assert shared_family("gpt-4o", teachers) is None
    assert shared_family("org/unknown", teachers) is None  # `extractive` is of no family either
    (line,) = family_warning("Qwen/Qwen3-8B", teachers)
    assert "the teacher Qwen/Qwen2-72B-Instruct@1, who" in line
    assert family_warning("org/unknown", teachers) == []
