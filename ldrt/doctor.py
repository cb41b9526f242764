"""What this machine has."""

from dataclasses import dataclass


@dataclass
class Options:
    """Options."""


def run(options):
    return ""
