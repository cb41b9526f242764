import subprocess
import sys
import time

import pytest

from tests import processes


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(processes, "HANGS_AFTER_S", 3)
    monkeypatch.setattr(processes, "LOOK_EVERY_S", 0.1)


WAITING_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def test_what_hangs_is_killed_with_all_that_it_started(tmp_path):
    with pytest.raises(AssertionError, match=r"(?s)idle for 3 s.*\n\S+ -c import time; time.sleep"):
        processes.run([sys.executable, "-c", WAITING_CHILD], tmp_path)
    processes.assert_ends(int((tmp_path / "stdout").read_text()))


def test_what_is_slow_is_waited_for(tmp_path):
    slow = "import time\nstarted = time.monotonic()\nwhile time.monotonic() < started + 5: pass\nprint('done')"
    done = processes.run([sys.executable, "-c", slow], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_condition_ends_the_wait(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    started = time.monotonic()
    assert processes.wait(process, until=lambda: time.monotonic() > started + 0.2) is None
    process.kill()
    assert processes.wait(process) == -9
