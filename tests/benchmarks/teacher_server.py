"""A teacher and a verifier in a process of its own: they quote the first sentence that they are given, and uphold it.

python -m tests.benchmarks.teacher_server      # prints its port
"""

import asyncio
import contextlib
import json
import re

from tests.dataset_builder.llm_server import completion

_MODELS = b'{"object": "list", "data": []}'
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


async def _serve() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: *(\d+)", head.lower())
                body = _reply(await reader.readexactly(int(length[1]))) if length else _MODELS
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
