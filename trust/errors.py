"""How the ground says no, and what the exit status of a command tells apart."""


class RefusedError(ValueError):
    """A stranger's file that is not used; the message says which, why and what to do, in one line."""


class UsageError(ValueError):
    """The command line or the YAML is wrong, in a name, a value or a path: exit status 2."""
