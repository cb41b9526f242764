"""The Batch API of the small server on loopback (llm_server.py)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Batches:
    """The Batch API as OpenAI has it: files, batches, replies after `polls` looks at a batch. `stop` is called with the
    name of each step when it is done at the server and its answer is not yet sent."""

    polls: int = 1
    stop: Callable[[str], None] = lambda step: None
    lose: int = 0  # of each batch's first replies: expired
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[dict] = field(default_factory=list)
    failure: str | None = None  # why batches fail

    def post(self, path: str, body: bytes, answer: Callable[[dict], dict | str | bytes | int | None]):
        if path.endswith("/files"):
            step, found = "upload", {"id": self._file(body[body.index(b'{"custom_id"') : body.rindex(b"}") + 1])}
        else:
            step, found = "create", self._create(json.loads(body), answer)
        self.stop(step)
        return 200, json.dumps(found).encode()

    def get(self, path: str) -> tuple[int, bytes]:
        if path.endswith("/content"):
            content = self.files[path.split("/")[-2]]
            self.stop("fetch")
            return 200, content
        if "/batches?" in path:
            return 200, json.dumps({"data": self.made[::-1], "has_more": False}).encode()
        batch = next(made for made in self.made if made["id"] == path.rsplit("/", 1)[-1])
        batch["looks"] += 1
        ended = "failed" if self.failure else "completed"
        batch["status"] = "in_progress" if batch["looks"] < self.polls else ended
        self.stop("poll")
        return 200, json.dumps(batch).encode()

    def asked(self) -> list[str]:
        """The keys of all requests of all batches."""
        return [json.loads(line)["custom_id"] for made in self.made for line in self._lines(made["input_file_id"])]

    def _file(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def _lines(self, file_id: str) -> list[bytes]:
        return self.files[file_id].splitlines()

    def _create(self, asked: dict, answer: Callable[[dict], dict | str | bytes | int | None]) -> dict:
        made = {"id": f"batch-{len(self.made)}", "looks": 0, "status": "validating", **asked}
        lines = [json.loads(line) for line in self._lines(asked["input_file_id"])]
        replies: list[dict] = [_line(line, answer(line["body"])) for line in lines[self.lose :]]
        lost = [
            {
                "custom_id": line["custom_id"],
                "response": None,
                "error": {"code": "batch_expired", "message": "too late"},
            }
            for line in lines[: self.lose]
        ]
        if self.failure:
            made["errors"] = {"data": [{"code": "x", "message": self.failure}]}
        else:
            made["output_file_id"] = self._jsonl(replies[::-1])
            made["error_file_id"] = self._jsonl(lost) if lost else None
        self.lose = 0
        self.made.append(made)
        return made

    def _jsonl(self, rows: list[dict]) -> str:
        return self._file("".join(json.dumps(row) + "\n" for row in rows).encode())


def _line(line: dict, reply: dict | str | bytes | int | None) -> dict:
    """A line of a batch's output; `reply` is a completion or an HTTP status."""
    status, body = (reply, {"error": {"message": "no"}}) if isinstance(reply, int) else (200, reply)
    return {"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
