"""What the exit status of a command tells apart; `trust/errors.py` has it for those who import nothing else."""

from trust.errors import UsageError as UsageError
