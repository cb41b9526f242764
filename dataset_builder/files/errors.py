"""What the exit status of a command tells apart."""

from trust.errors import UsageError

__all__ = ["UsageError"]
