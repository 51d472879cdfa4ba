"""``python -m lockleaf``: the same as the command ``lockleaf``."""

import sys

from lockleaf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
