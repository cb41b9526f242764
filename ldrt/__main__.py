"""`python -m ldrt`, which is `ldrt` where no console script is installed."""

import sys

from ldrt import main

if __name__ == "__main__":
    sys.exit(main())
