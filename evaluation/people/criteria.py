"""What people are told to grade by: the judges' words."""

import re

from evaluation.judging.rubric import FOLDER as RUBRICS


def read_criteria(task: str) -> str:
    """What counts in an answer to a question of this task: the judges' rubric from "Grade" to before "Reply".

    Raises ValueError where there is no such rubric.
    """
    path = RUBRICS / f"{task}.md"
    rubric = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(r"^Grade .*?(?=^Reply )", rubric, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(
            f"task {task}: no rubric {path.name} with what to grade (from a line Grade … to a line Reply …)"
        )
    return re.sub(r"(?<!\n)\n(?:  )?(?=[^\s\-\d])", " ", found[0].strip())  # one line a paragraph, point or anchor
