"""The Hub dataset's columns: one `datasets.Features` for each shape of row.

`pairs` has one row a figure. `align`, `detail`, `reasoning` and `instruct` share one shape: one row a training
example, in TRL's vision prompt/completion form (text-only content; TRL places the image). `preference` has one row a
pair of answers to a training question, in TRL's form for DPO.
"""

from datasets import Features, Image, List, Value

CONFIGS = ("pairs", "align", "detail", "reasoning", "instruct", "preference")
SPLITS = ("train", "validation", "test")

_STRING = Value("string")
_BOX = List(Value("float32"))
_MESSAGES = List({"role": _STRING, "content": _STRING})

PAIRS = Features(
    {
        "image": Image(),
        "caption": _STRING,  # null where the article gives none
        "context": List(_STRING),
        "questions": List({"question": _STRING, "answer": _STRING, "task": _STRING}),  # that came with the picture
        "label": _STRING,
        "figure_id": _STRING,
        "panels": List({"label": _STRING, "bbox": _BOX, "caption": _STRING}),
        "article_id": _STRING,
        "pmcid": _STRING,
        "doi": _STRING,
        "title": _STRING,
        "journal": _STRING,
        "year": Value("int32"),
        "language": _STRING,  # ISO 639-1
        "license": _STRING,  # SPDX id of the figure, null where none is stated
        "licenses": List(_STRING),  # of all that the row is made of: of the figure, and of caption and context
        "rights": _STRING,  # what the figure says of rights of its own, with their holder; null: they are the article's
        "attribution": _STRING,  # the line that a Creative Commons licence asks for
        "article_type": _STRING,  # JATS: research-article, correction, ...
        "status": _STRING,  # what has become of the article: corrected or concern; retracted ones are rejected
        "notes": List(_STRING),  # what a reader had to do to the article's files: "repaired XML"
        "source": _STRING,  # jats | pdf | jats+pdf | csv
        "source_file": _STRING,  # relative to the articles folder
        "page": Value("int32"),  # 1-based, PDF only
        "bbox": _BOX,  # PDF points x0, y0, x1, y1, origin top left
        "width": Value("int32"),
        "height": Value("int32"),
        "sharpness": Value("float32"),  # variance of the Laplacian
        "image_sha256": _STRING,
        "phash": _STRING,
        "duplicate_group": _STRING,
    }
)

EXAMPLES = Features(
    {
        "images": List(Image()),
        "prompt": _MESSAGES,
        "completion": _MESSAGES,
        "task": _STRING,  # align | detail | reasoning
        "example_id": _STRING,
        "figure_id": _STRING,
        "panel": _STRING,  # label of the panel that the picture shows; null: the whole figure
        "article_id": _STRING,
        "license": _STRING,  # the one whose terms cover all of `licenses`; null: there is none, or one is not stated
        "licenses": List(_STRING),  # of all that the example is made of, another figure's context too
        "rights": _STRING,  # of the figure, as in `pairs`
        "teacher": _STRING,  # id@revision, "extractive", or "given": the question and its answer came with the picture
        "prompt_sha256": _STRING,
        "kind": _STRING,  # of question that the teacher was asked for, one of prompts/TASK.kinds.yaml; null: none
        "context_of": _STRING,  # figure_id whose context the teacher saw; null: none. Another one's in an ablation
        "evidence": List({"source": _STRING, "sentence": Value("int32")}),  # null where the answer was given
        "support": Value("float32"),  # share of the answer's numbers with units, Greek terms, abbreviations and names
        # that stand in the sentences named in `evidence`, each counted once; null: the answer has none, or was given
    }
)

PREFERENCES = Features(
    {
        "images": List(Image()),
        "prompt": _MESSAGES,
        "chosen": _MESSAGES,  # the answer that all judges prefer, in both orders
        "rejected": _MESSAGES,
        "task": _STRING,  # detail | reasoning
        "example_id": _STRING,  # of the question
        "figure_id": _STRING,
        "panel": _STRING,
        "article_id": _STRING,
        "license": _STRING,  # as in EXAMPLES, of the question
        "licenses": List(_STRING),
        "rights": _STRING,
        "chosen_by": _STRING,  # model@revision
        "rejected_by": _STRING,
        "judges": List({"judge": _STRING, "prompt_sha256": _STRING}),  # name@revision; hash of the rubric
    }
)
_FEATURES = {"pairs": PAIRS, "preference": PREFERENCES}


def features(config: str) -> Features:
    """The columns of one config of the dataset; `config` is one of `CONFIGS`."""
    return _FEATURES.get(config, EXAMPLES)
