"""A process that was ready is a process: its code, folder, environment, output and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_process import wait_for
from ready_interpreter import run_ready, start_ready
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


def test_one_left_running_leads_a_group_and_has_its_hook_first(tmp_path: Path):
    (tmp_path / "hook.py").write_text(
        "def install():\n    import sys; print('hook', sys.argv, flush=True)\n"
    )
    (tmp_path / "script.py").write_text(
        "import os, signal; print(os.getpid(), os.getpgrp(), flush=True); signal.pause()"
    )
    with (tmp_path / "said").open("w+") as said:
        arguments = [str(tmp_path / "script.py"), "a"]
        process = start_ready(arguments, tmp_path, os.environ, said, tmp_path / "hook.py")
        assert process is not None
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        wait_for("both lines", lambda: (tmp_path / "said").read_text().count("\n") == 2)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == process.poll() == -signal.SIGKILL
        process.kill()
    hooked, itself = (tmp_path / "said").read_text().splitlines()
    assert hooked == f"hook {arguments}"
    assert itself == f"{process.pid} {process.pid}"
