"""The test Hub by hand: prints how to point a client at it, then one line a request.

python -m tests.hub_server --port 8765 --root hub-data --fault '{"match": "POST .*/commit/", "status": 500}'
"""

import argparse
import json
import time
from pathlib import Path

from tests.hub_server.handler import TOKENS
from tests.hub_server.server import HubServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--root", type=Path, default=Path("hub-data"), help="folder that holds the repositories")
    parser.add_argument("--fault", type=json.loads, action="append", default=[], help="fields of `Fault` as JSON")
    args = parser.parse_args()
    with HubServer(args.root, args.port) as hub:
        print(f"export HF_ENDPOINT={hub.url} HF_HUB_DISABLE_XET=1 HF_HUB_DISABLE_TELEMETRY=1 HF_TOKEN=hf_write")
        print("tokens:", *(f"{name} ({who['user']}, {who['role']})" for name, who in TOKENS.items()), flush=True)
        for fault in args.fault:
            hub.fail(**fault)
        shown = 0
        while True:
            time.sleep(0.2)
            for row in hub.log[shown:]:
                print(row["status"], row["method"], row["path"], f"[{row['user']}]", flush=True)
                shown += 1


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
