"""A process that was ready is a process: its code, folder, environment, output and end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ready_interpreter import run_ready
from shop_server import run_program

SAYS = {
    "what it is": "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ['IT'], __name__,"
    " 'pipeline' in sys.modules, sys.stdout.isatty(), sys.stdin.read())",
    "umask": "import os; print(oct(os.umask(0)))",
    "both outputs in turn": "import os, sys; print('first', file=sys.stderr); print('last')",
    "exit code": "import sys; sys.exit(35)",
    "exit text": "import sys; sys.exit('said')",
    "at exit": "import atexit; atexit.register(print, 'the end')",
    "death": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "excepthook": "import sys; sys.excepthook = lambda *e: print(e[1]); 1 / 0",
    "another thread": "import threading; threading.Timer(0, print, ['late']).start()",
}


@pytest.mark.parametrize("text", SAYS.values(), ids=SAYS)
def test_it_says_what_a_new_process_says(tmp_path: Path, text: str):
    script = tmp_path / "script.py"
    script.write_text(text)
    arguments, environment = [str(script), "a", "b c"], os.environ | {"IT": "ñ"}
    before = os.umask(0o27)
    try:
        new = run_program([sys.executable, *arguments], tmp_path, environment)
        ready = run_ready(arguments, tmp_path, environment, 60)
    finally:
        os.umask(before)
    assert ready is not None
    assert (ready.returncode, ready.stdout) == (new.returncode, new.stdout)


@pytest.mark.parametrize("name", ["PYTHONIOENCODING", "LUIGI_CONFIG_PATH", "TZ", "LC_ALL"])
def test_what_is_read_at_the_start_asks_for_a_new_process(tmp_path: Path, name: str):
    changed = os.environ | {name: "other"}
    assert run_ready(["-m", "this"], tmp_path, changed, 60) is None
