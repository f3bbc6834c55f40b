"""The demo: `python -m demo`, which scripts/demo runs in an environment of its own."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import pipeline
from demo import story
from demo.place import DAYS, Place, shown
from pipeline.errors import PipelineError


def main() -> int:
    """Run the demo, or stop or remove it; returns the exit code."""
    checkout = Path(pipeline.__file__).resolve().parents[1]
    options = _arguments(checkout / ".demo")
    place = Place(options.folder.absolute(), checkout)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show an accent is no reason to fail.
        sys.stdout.reconfigure(errors="replace")
    try:
        if options.stop or options.clean:
            _end(place, clean=options.clean)
        else:
            with place.held():
                story.show(place)
    except (PipelineError, OSError) as error:
        log = f" (log: {shown(place.log)})" if place.log.exists() else ""
        print(f"demo: {error}{log}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _arguments(folder: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/demo",
        description="Shows the pipeline at work: a PostgreSQL of its own, a generated shop that "
        f"trades for {DAYS} days, two runs, and what a shopkeeper sees afterwards. "
        "Run it again and it goes on with what is there.",
    )
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--stop", action="store_true", help="stop the demo's PostgreSQL")
    ends.add_argument("--clean", action="store_true", help="stop it, and remove all that was made")
    parser.add_argument(
        "--folder", type=Path, default=folder, help="where it lives (default: .demo)"
    )
    return parser.parse_args()


def _end(place: Place, clean: bool) -> None:
    if not place.exists():
        print(f"There is no demo in {shown(place.folder)}.")
        return
    with place.held():
        if clean:
            place.remove()
            print(f"The demo's PostgreSQL is stopped, and {shown(place.folder)} is removed.")
            return
        server = place.server()
        if server:
            server.stop()
        print("The demo's PostgreSQL is stopped; ./scripts/demo starts it again.")


if __name__ == "__main__":
    sys.exit(main())
