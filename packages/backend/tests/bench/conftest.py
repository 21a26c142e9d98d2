"""The programs that measure are scripts in a folder of their own, and find each other there."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4] / "bench"))
