"""Faults of the network and the Hub, met by `ldrt push` over real HTTP."""

import threading
import time

import pytest

COMMITTED = ["Push rows under policy commercial", "initial commit"]
STEPS = [
    *("GET /api/whoami", "POST /api/repos/create", "GET .*/figures/auth-check/write", "GET /api/datasets/lab/figures$"),
    *("POST /api/validate-yaml", "GET .*/figures/tree/", "GET .*/figures/refs", "POST .*/figures/tag/"),
    "GET .*/figures/commits/main",
]
PASSING = [{"status": 503}, {"drop": "before"}, {"drop": "after"}]


@pytest.mark.parametrize(
    "fault",
    [
        {"match": "POST .*/commit/main", "status": 500},
        {"match": "POST .*/commit/main", "status": 409, "message": "another commit is in progress"},
        {"match": "POST .*/commit/main", "drop": "before"},
        {"match": "POST .*/commit/main", "drop": "after"},  # it happened, and nobody said so
        {"match": "PUT /lfs", "status": 503},
        {"match": "PUT /lfs", "drop": "after"},
        {"match": "POST .*/preupload/main", "status": 429},
        {"match": "POST .*/preupload/main", "status": 400},
        *({"match": step, **fault} for step in STEPS for fault in PASSING),
    ],
    ids=lambda fault: f"{fault['match'].split('/')[-2:]}-{fault.get('status') or fault['drop']}",
)
def test_passing_faults_leave_one_commit(hub, ldrt_client, dataset, fault):
    hub.fail(**fault)
    done = ldrt_client("push", dataset, "lab/figures", "--tag", "v1")
    assert not hub.faults[0].times
    if fault.get("status") == 400:  # not a passing one: said, and nothing was committed
        assert done.status == 1
        assert "the Hub answered 400 to POST /api/datasets/lab/figures/preupload/main" in done.stderr
        assert hub.titles("dataset", "lab/figures") == COMMITTED[1:]
    else:
        assert done.status == 0, done.stderr
        assert hub.titles("dataset", "lab/figures") == COMMITTED
        assert hub.repo("dataset", "lab/figures").tags == {"v1": hub.repo("dataset", "lab/figures").branches["main"]}


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 403}], ids=str)
def test_a_tag_that_fails_leaves_the_commit_and_says_how_to_tag(hub, ldrt_client, dataset, fault):
    hub.fail("POST .*/tag/", times=9, **fault)
    done = ldrt_client("push", dataset, "lab/figures", "--tag", "paper")
    assert done.status == 1
    repo = hub.repo("dataset", "lab/figures")
    sha = repo.branches["main"]
    assert f"commit {sha} is in place at" in done.stderr
    assert "the tag paper is not: run this again, or `hf repos tag create lab/figures paper --rev" in done.stderr
    assert f"--revision {sha} --type dataset`" in done.stderr
    assert done.stderr.count("\n") == 1
    hub.faults.clear()
    again = ldrt_client("push", dataset, "lab/figures", "--tag", "paper")
    assert "nothing new" in again.stdout, again.stderr
    assert repo.tags == {"paper": sha}


def test_a_look_after_the_commit_that_fails_says_that_it_is_there(hub, ldrt_client, dataset):
    hub.fail("GET .*/tree/", status=502, skip=1, times=9)
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 1
    sha = hub.repo("dataset", "lab/figures").branches["main"]
    assert f"commit {sha} is in place at" in done.stderr
    assert "what arrived is not checked: run this again" in done.stderr


def test_an_answer_lost_and_the_head_unreadable_for_a_while(hub, ldrt_client, dataset):
    """The commit happened; its answer and the next look at the head are lost; the repeated commit is refused (412)."""
    hub.fail("POST .*/commit/main", drop="after")
    hub.fail("GET /api/datasets/lab/figures$", status=500, skip=2)
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 0, done.stderr
    assert hub.titles("dataset", "lab/figures") == COMMITTED
    assert len(hub.requests("POST .*/commit/main")) == 2


@pytest.mark.parametrize(
    ("token", "repo_id", "message"),
    [
        (None, "lab/figures", "no Hub token: run `hf auth login`"),
        ("hf_expired", "lab/figures", "does not accept the token"),
        ("hf_read", "lab/figures", "the token of alice may only read"),
        ("hf_other", "lab/figures", "bob may not write to lab/figures, only to repositories of: bob"),
    ],
)
def test_tokens_that_do_not_do(hub, ldrt_client, dataset, token, repo_id, message):
    done = ldrt_client("push", dataset, repo_id, token=token)
    assert done.status == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert str(token) not in done.stderr
    assert not hub.store.repos


@pytest.mark.parametrize("private", [True, False])
def test_a_repository_of_somebody_else(hub, ldrt_client, dataset, private):
    hub.store.create("dataset", "bob/figures", private=private, author="bob")
    done = ldrt_client("push", dataset, "bob/figures", "--private", str(private).lower())
    assert done.status == 1
    assert "alice may not write to bob/figures" in done.stderr
    assert not hub.requests("PUT|preupload|commit/")


def test_the_token_expires_on_the_way(hub, ldrt_client, dataset):
    hub.fail("POST .*/commit/main", status=401, message="Invalid credentials in Authorization header")
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 1
    assert "does not accept the token" in done.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"match": "/objects/batch", "status": 413}, "the Hub refuses the size of what is sent to lab/figures"),
        ({"match": "/commit/main", "status": 403, "message": "Private storage limit reached"}, "refuses the size"),
        ({"match": "/commit/main", "status": 403, "message": "no"}, "the token may not write to lab/figures"),
        ({"match": "/commit/main", "status": 412, "message": "stale"}, "lab/figures changed while this ran"),
        ({"match": "validate-yaml", "status": 500, "times": 9}, "the Hub answered 500 to POST /api/validate-yaml"),
        ({"match": "whoami", "drop": "before", "times": 9}, "the connection to http://127.0.0.1"),
    ],
    ids=lambda value: value["match"] if isinstance(value, dict) else "",
)
def test_refusals_are_one_line(hub, ldrt_client, dataset, fault, message):
    hub.fail(**fault)
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_somebody_else_commits_meanwhile(hub, ldrt_client, dataset):
    hub.fail("POST .*/commit/main", is_held=True)

    def intrude():
        while not hub.requests("POST .*/commit/main"):
            time.sleep(0.02)
        repo = hub.repo("dataset", "lab/figures")
        with hub.store.lock:
            hub.store.add_commit(repo, "main", repo.files_at("main"), "by somebody else", "", "alice")
        hub.release()

    intruder = threading.Thread(target=intrude)
    intruder.start()
    done = ldrt_client("push", dataset, "lab/figures")
    intruder.join()
    assert done.status == 1
    assert "somebody else committed to lab/figures meanwhile" in done.stderr
    assert hub.titles("dataset", "lab/figures")[0] == "by somebody else"


def test_what_arrived_is_compared_with_what_was_sent(hub, ldrt_client, dataset):
    """A Hub that stores other content than it was sent is found out."""
    hub.fail("GET .*/tree/", is_held=True, skip=1)  # the look after the commit

    def corrupt():
        while not hub.requests("GET .*/tree/")[1:]:
            time.sleep(0.02)
        repo = hub.repo("dataset", "lab/figures")
        repo.files_at("main")["eval.yaml"] = repo.files_at("main")["README.md"]
        hub.release()

    corruptor = threading.Thread(target=corrupt)
    corruptor.start()
    done = ldrt_client("push", dataset, "lab/figures")
    corruptor.join()
    assert done.status == 1
    assert "differs from what was sent in 1 files, first eval.yaml" in done.stderr


def test_the_wall_clock_limit_holds(hub, ldrt_client, dataset):
    hub.fail("POST .*/commit/main", is_held=True)
    done = ldrt_client("push", dataset, "lab/figures", "--limit_s", "1")
    assert done.status == 1
    assert "not done within 1 s" in done.stderr


def test_a_tag_that_names_other_content_is_refused_before_the_commit(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--tag", "v1").status == 0
    (dataset / "eval.yaml").unlink()
    done = ldrt_client("push", dataset, "lab/figures", "--tag", "v1")
    assert done.status == 1
    assert "has a tag v1 for other content" in done.stderr
    assert hub.titles("dataset", "lab/figures") == COMMITTED


def test_large_files_in_parts_and_long_listings_in_pages(hub, ldrt_client, dataset):
    hub.multipart_bytes, hub.page_rows = 5000, 4
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 0, done.stderr
    assert hub.requests("PUT /lfs/.*/part/2")
    assert hub.requests("GET .*cursor=4")
    assert "nothing new" in ldrt_client("push", dataset, "lab/figures").stdout


def test_unreachable(ldrt_client, run_client, dataset, tmp_path):
    code = (
        "import os, sys, time\n"
        "os.environ['HF_ENDPOINT'] = 'http://127.0.0.1:9'\n"
        "time.sleep = lambda seconds: None\n"
        "import ldrt; ldrt.main(sys.argv[1:])"
    )
    done = run_client("-c", code, "push", dataset, "lab/figures")
    assert "cannot reach http://127.0.0.1:9: check the network" in done.stderr
