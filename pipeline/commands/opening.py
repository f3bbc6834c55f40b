"""Set the opening balances that products are valued from."""

from __future__ import annotations

import argparse
from pathlib import Path

def configure(parser): ...
def run(arguments): return 0
