"""Install what the project needs into the project; see `make help`.

Only the standard library is used, because this runs before anything is installed.
"""

import sys

OLDEST_PYTHON = (3, 11)

if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        "Python {}.{} or newer is needed, this is {}.{}. Name another one with: make PYTHON=...".format(
            *OLDEST_PYTHON, *sys.version_info
        )
    )

from provision.main import main  # noqa: E402 (an older Python could not read it)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
