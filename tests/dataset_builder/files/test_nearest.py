"""A mistyped word gets the nearest known one, or nothing."""

from dataset_builder.files.nearest import nearest


def test_the_nearest_word_is_suggested_where_one_is_near():
    assert nearest("lerning_rate", ["learning_rate", "lora_r"]) == ", did you mean learning_rate?"
    assert nearest("outptu", ["output"], "--") == ", did you mean --output?"
    assert nearest("xyz", ["learning_rate"]) == ""
