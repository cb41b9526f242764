"""Pytest fixtures: `hub`, an empty server; `ldrt_client`, which runs `ldrt` commands against it; `run_client`, which
starts any other client process, with a cache of its own.
"""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests import processes
from tests.hub_server.server import PROJECT, HubServer, client_env


@pytest.fixture(scope="session")
def hub_process(tmp_path_factory):
    """The server, and the client process that talks to it; both live for the whole test run."""
    folder = tmp_path_factory.mktemp("hub")
    with HubServer(folder / "store") as server:
        env = client_env(server.url, folder / "home")
        command = [sys.executable, "-m", "tests.hub_server.client"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=PROJECT, env=env, text=True, **pipes) as client:
            yield server, client
            client.stdin.close()


@pytest.fixture
def hub(hub_process):
    server, _ = hub_process
    server.reset()
    yield server
    server.reset()


@pytest.fixture
def ldrt_client(hub, hub_process):
    """Runs an `ldrt` command: ldrt_client("push", folder, "lab/x", token="hf_write") -> status, stdout, stderr."""

    def run(*argv, token: str | None = "hf_write") -> SimpleNamespace:
        _, client = hub_process
        client.stdin.write(json.dumps({"argv": [str(word) for word in argv], "token": token}) + "\n")
        client.stdin.flush()
        return SimpleNamespace(**json.loads(client.stdout.readline()))

    return run


@pytest.fixture
def run_client(hub, tmp_path):
    """Runs `python ARGS…` in a process of its own: run_client("-c", code, token="hf_write", home="clean").

    `home` names the client's cache folder: a new name is a clean cache. Returns the CompletedProcess.
    """

    def run(*argv, token: str | None = "hf_write", home: str = "home"):
        env = client_env(hub.url, tmp_path / home, token)
        command = [sys.executable, *map(str, argv)]
        done = processes.run(command, tmp_path / "printed", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run
