"""What the exit status of a command tells apart."""


class UsageError(Exception):
    """The command line or the YAML is wrong: exit status 2."""
