# Sourced by ./demo and ./test, from the root of the repository. Makes .venv once and keeps it up to date.
#   prepare_environment EXTRAS    EXTRAS is empty or like "[dev]"; sets $bin, the folder of the programs

find_python() {
    # 3.11 to 3.13 are tested, so they are tried before anything newer.
    for range in '(3, 11) <= v <= (3, 13)' '(3, 14) <= v'; do
        for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python py; do
            if "$name" -c "import sys, venv; v = sys.version_info[:2]; sys.exit(not $range)" 2>/dev/null; then
                echo "$name"
                return
            fi
        done
    done
    echo "Python 3.11 or newer is needed. Install it, or name it: PYTHON=/path/to/python $0" >&2
    return 1
}

make_venv() {
    # Without ensurepip, as on Debian without python3-venv, the pip that is there fills the environment.
    "$1" -m venv .venv 2>/dev/null && return
    "$1" -m venv --without-pip .venv
    "$1" -m pip --python .venv install --quiet pip
}

prepare_environment() {
    extras=$1
    stamp=.venv/likeness-installed$extras
    wanted=$(cksum pyproject.toml constraints.txt)
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        if [ ! -d .venv ]; then
            python=$(find_python)
            echo "preparing .venv with $("$python" --version) (about a minute)" >&2
            make_venv "$python"
        fi
        set_bin
        for attempt in 1 2 3; do
            "$bin/python" -m pip install --quiet --disable-pip-version-check \
                --constraint constraints.txt --editable ".$extras" && break
            [ "$attempt" != 3 ] || return 1
            sleep 5
        done
        echo "$wanted" >"$stamp"
    fi
    set_bin
}

set_bin() {
    bin=.venv/bin
    [ ! -d .venv/Scripts ] || bin=.venv/Scripts
}
