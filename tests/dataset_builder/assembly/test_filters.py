"""Which figures are kept: one case on each side of every threshold."""

import pytest

from dataset_builder.assembly.filters import Thresholds, rejection

GOOD = {
    "status": None,
    "article_type": "research-article",
    "title": "Low doses in painful joints",
    "image_error": None,
    "image_fault": None,
    "width": 200,
    "height": 100,
    "contrast": 50.0,
    "sharpness": 101.0,
    "text_share": 0.5,
    "caption": "Dose in the knee.",
    "context": [],
    "questions": [],
}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({}, None),
        ({"status": "retracted"}, "retracted"),
        ({"status": "corrected"}, None),
        ({"article_type": "retraction"}, "retracted"),
        ({"article_type": "withdrawal"}, "retracted"),
        ({"article_type": "other", "title": "Retraction Note: Low doses"}, "retracted"),
        ({"article_type": None, "title": "撤稿声明：低剂量"}, "retracted"),
        ({"article_type": "correction", "title": "Retraction: of the correction's words"}, None),
        ({"article_type": "partial-retraction"}, None),
        ({"title": "Retraction of the tongue under sedation"}, None),
        ({"image_error": "fig1.jpg is missing", "image_fault": "image_missing"}, "image_missing"),
        ({"image_error": "fig1.jpg: 0 bytes", "image_fault": "image_unreadable"}, "image_unreadable"),
        ({"height": 64}, None),
        ({"height": 63}, "min_side_px"),
        ({"width": 1000}, None),
        ({"width": 1001}, "max_aspect"),
        ({"contrast": 1.9}, "min_contrast"),
        ({"sharpness": 100.0}, "min_sharpness"),
        ({"text_share": 0.95}, None),
        ({"text_share": 0.951}, "max_text_share"),
        ({"caption": "x" * 10_000}, None),
        ({"caption": "x" * 10_001}, "max_caption_chars"),
        ({"caption": None}, "min_text_chars"),
        ({"caption": None, "context": ["Figure 1 shows the dose."]}, None),
        ({"caption": "Dose."}, "min_text_chars"),
        ({"caption": None, "questions": [{"question": "How much?", "answer": "A"}]}, None),
        ({"caption": None, "questions": [{"question": "Which?", "answer": "A"}]}, "min_text_chars"),
    ],
)
def test_each_threshold(change, name):
    verdict = rejection(GOOD | change, Thresholds())
    assert (verdict.filter if verdict else None) == name


def test_a_verdict_says_what_it_compared():
    assert rejection(GOOD | {"sharpness": 40.0}, Thresholds(min_sharpness=80.0)) == ("min_sharpness", 40.0, 80.0)
    assert rejection(GOOD | {"sharpness": 81.0}, Thresholds(min_sharpness=80.0)) is None
