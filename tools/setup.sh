#!/bin/sh
# What make needs before anything else can run:
#   setup.sh environment PYTHON FOLDER            a virtual environment in FOLDER with what this project depends on
#   setup.sh environment PYTHON FOLDER EXTRAS     the same with the project itself and its extras
#   setup.sh programs                             the Tcl programs and packages that tests use, and a C compiler
# PYTHON is a path, or a name of which the first on PATH that will do is taken.  What is missing is installed where
# that can be done (by root with apt-get), and named where it cannot.
set -euf

environment() {
    name=$1 folder=$2 extras=${3:-}
    python=$(fit_python "$name")
    if [ -z "$python" ] && can_install "$name"; then
        install $(python_packages "$name") || say "apt-get failed"
        python=$(fit_python "$name")
    fi
    [ -n "$python" ] || give_up "$name"
    if [ -n "$(fault "$folder/bin/python")" ]; then
        "$python" -m venv --clear "$folder" || give_up "$name"
    fi
    if [ -n "$extras" ]; then
        set -- --editable ".$extras"
    else
        set -- $(dependencies)
    fi
    say "installing in $folder:" "$@"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

dependencies() {
    sed -n '/^dependencies = \[/,/\]/s/[^"]*"\([^"]*\)"[^"]*/\1 /gp' pyproject.toml
}

# The first Python of that name that will do; tells of each before it.
fit_python() {
    pythons "$1" | while read -r candidate; do
        fault=$(fault "$candidate")
        if [ -z "$fault" ]; then
            echo "$candidate"
            break
        fi
        say "$candidate $fault"
    done
}

pythons() {
    case $1 in
    */*)
        echo "$1"
        ;;
    *)
        IFS=:
        for folder in $PATH; do
            if [ -x "$folder/$1" ]; then echo "$folder/$1"; fi
        done
        ;;
    esac
}

# Why a Python will not do for this project, in words; nothing when it will.
fault() {
    if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
        echo "is not Python 3.9 or newer"
    elif ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "has no venv (Debian, Ubuntu: apt-get install python3-venv)"
    elif ! "$1" -c 'import tkinter; tkinter.Tcl()' 2>/dev/null; then
        echo "has no tkinter (Debian, Ubuntu: apt-get install python3-tk; macOS: brew install python-tk)"
    fi
}

python_packages() {
    case ${1##*/} in
    python3.*) echo "${1##*/} ${1##*/}-venv python3-tk" ;;
    *) echo "python3 python3-venv python3-tk" ;;
    esac
}

give_up() {
    say "no $1 with all of Python 3.9 or newer, venv and tkinter was found. Install them, then run make again:
  Debian, Ubuntu:  sudo apt-get install $(python_packages "$1")
  Fedora:          sudo dnf install python3 python3-tkinter
  macOS:           brew install python python-tk
Another Python can be named: make PYTHON=/usr/bin/python3"
    exit 1
}

programs() {
    missing=$(missing_programs)
    if [ -n "$missing" ] && can_install; then
        install $missing || say "apt-get failed"
        missing=$(missing_programs)
    fi
    [ -z "$missing" ] || left_out "missing (Debian, Ubuntu: sudo apt-get install" $missing")"
    "${0%/*}/tcl9.sh" .cache/tcl9.0 || left_out "without it nothing runs in Tcl 9"
}

# Say what is missing; without CI, that is.
left_out() {
    say "$@"
    if [ "${CI:-}" = true ]; then
        say "with CI=true no test may be left out"
        exit 1
    fi
    say "tests that need it are left out"
}

# The Debian packages of what is not there.
missing_programs() {
    command -v tclsh >/dev/null || echo tcl
    has_package Itcl || echo tcl-itcl4
    has_package Thread || echo tcl-thread
    has_package cmdline || echo tcllib
    has_package Tclx || echo tclx8.4
    has_package Tk || echo tk
    has_package img::window || echo libtk-img
    command -v Xvfb >/dev/null || echo xvfb
    compiles || echo gcc libc6-dev
}

# Whether there is a C compiler, with the headers of the C library.
compiles() {
    echo "#include <stdlib.h>" | cc -fsyntax-only -x c - 2>/dev/null
}

# Whether tclsh finds a package; it is not loaded, since Tk needs a display for that.
has_package() {
    echo "catch {package require none-such}; exit [expr {[package versions $1] eq {}}]" | tclsh 2>/dev/null
}

# Whether apt-get can install for us.  It cannot mend a Python named by a path that is not the system's.
can_install() {
    case ${1:-} in
    /usr/bin/*) ;;
    */*) return 1 ;;
    esac
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

install() {
    say "installing with apt-get:" "$@"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install --no-install-recommends "$@"; } >&2
}

say() {
    echo "setup: $*" >&2
}

"$@"
