"""Pages for raters, made by `ldrt human export`."""

import json
import re

from evaluation import human

HOSTILE = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"> <!--"
SECRET = ("org/before-tuning", "org/after-tuning", "first-run", "second-run", "sha256:", "A1/F")
ITEMS, REPEATS = 40, 8
LARGE, UNREADABLE = range(0, 48, 5), range(1, 48, 6)  # numbers of examples, by their pictures


def export(runs, dataset, output, **changes):
    options = {"items": ITEMS, "repeats": REPEATS} | changes
    human.run(human.Options("export", [str(run) for run in runs], str(output), str(dataset), **options))
    return json.loads((output / "key.json").read_text()), (output / "rate.html").read_text()


def page_items(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])["items"]
