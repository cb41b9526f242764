"""How the ground says no."""


class RefusedError(ValueError):
    """A stranger's file that is not used; the message says which, why and what to do, in one line."""
