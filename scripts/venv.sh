# Sourced, not run: the checkout's .venv, made and filled where it is missing or stale.
# Sets: root, venv, pip_install. The messages name the script that sourced it.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
program=$(basename -- "$0")
# Neither Python nor Luigi, which warns of a file it misses, is to be led elsewhere.
unset PYTHONPATH PYTHONHOME LUIGI_CONFIG_PATH

# use_venv FOLDER: what all below is about. pip_install is words, so that who runs it in the background
# has pip's own process.
use_venv() {
    venv=$1
    pip_install=("$venv/bin/python" -I -m pip install -q --disable-pip-version-check -e)
}
use_venv "$root/.venv"

fail() {
    printf '%s: %s\n' "$program" "$1" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.{14,13,12,11} python; do
        if "$candidate" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; if it has an unusual name: PYTHON=… scripts/$program"
}

# is_installed STAMP MODULE…: the stamp is a copy of the pyproject.toml that was installed.
# -I: neither the working directory nor the user's own packages can stand in.
is_installed() {
    local stamp=$1
    shift
    cmp -s "$root/pyproject.toml" "$stamp" && "$venv/bin/python" -I - "$root" "$@" 2>/dev/null <<'EOF'
import importlib.util
import pathlib
import sys

root, *names = sys.argv[1:]
missing = [name for name in names if importlib.util.find_spec(name) is None]
spec = importlib.util.find_spec("pipeline")
package = pathlib.Path(root, "pipeline", "__init__.py")
# A checkout that was moved still has the old place installed.
sys.exit(bool(missing) or not pathlib.Path(spec.origin).samefile(package))
EOF
}

# make_venv LOG: a .venv whose Python and pip work. One that an interrupted run of
# these scripts left is made anew; somebody else's is not touched.
make_venv() {
    local log=$1 python
    if "$venv/bin/python" -I -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        return
    fi
    python=$(find_python)
    [[ ! -e $venv ]] || compgen -G "$venv/.made-by-*" >/dev/null ||
        fail "$venv does not work: remove it, then run again"
    rm -rf -- "$venv"
    mkdir -- "$venv" || fail "$root cannot be written"
    touch -- "$venv/.made-by-$program"
    "$python" -I -m venv "$venv" >"$log" 2>&1 ||
        fail "$python -m venv failed (Debian, Ubuntu: apt install python3-venv); log: $log"
}


# pip_failed LOG
pip_failed() {
    fail "pip failed: $(grep -m 1 'ERROR: ' "$1" | sed 's/.*ERROR: //') (log: $1)"
}

# note_installed STAMP
note_installed() {
    cp -- "$root/pyproject.toml" "$1"
}

# install_package EXTRAS LOG STAMP
install_package() {
    "${pip_install[@]}" "$root[$1]" >>"$2" 2>&1 </dev/null || pip_failed "$2"
    note_installed "$3"
}
