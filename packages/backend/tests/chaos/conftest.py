"""The instrument is a package beside the server's."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4]))
