"""A small Hub server on loopback, so that the real Hugging Face clients can be tested without a network or a token.

It speaks what publishing and reading need: whoami, create_repo, auth_check, commits, Git LFS uploads, trees, tags,
downloads with ranges. Xet is absent, so clients run with `HF_HUB_DISABLE_XET=1`; `client_env` gives the whole set.

    python -m tests.hub_server --port 8765 --root hub-data
"""

from tests.hub_server.handler import Fault
from tests.hub_server.server import HubServer, client_env

__all__ = ["Fault", "HubServer", "client_env"]
