"""A teacher and a verifier in a process of its own: they quote the first sentence that they are given, and uphold it.

python -m tests.benchmarks.teacher_server      # prints its port
"""

import asyncio
import json
import re

from tests.benchmarks.judge_server import serve
from tests.dataset_builder.llm_server import completion

_CAPACITY = 64
_VERDICT = json.dumps(completion('{"verdict": "supported"}')).encode()
_SENTENCES = re.compile(r"^\[(caption|context) (\d+)\] (.*)$", re.M)


def _reply(asked: bytes) -> bytes:
    prompt = json.loads(asked)["messages"][0]["content"]
    if "<<<ANSWER" in prompt:
        return _VERDICT
    found = _SENTENCES.findall(prompt.rpartition("<<<EVIDENCE")[2])
    if not found:
        return json.dumps(completion("Blue.")).encode()  # what the server honours is asked first
    source, number, sentence = found[0 if "detailed description" in prompt else -1]
    evidence = [{"source": source, "sentence": int(number)}]
    said = {"question": "What can be seen here?", "answer": json.loads(sentence), "evidence": evidence}
    return json.dumps(completion(json.dumps(said))).encode()


if __name__ == "__main__":
    asyncio.run(serve(_CAPACITY, 0.0, _reply))
