"""Run Tcl's own tests in tclsh and in our shells,
and print which of them differ: ``make tclsuite``.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tools.tclsuite import sources
from tools.tclsuite.runs import SHELLS, Outcomes, Shell, differences, run

LOGS = sources.CACHE / "logs"


def main() -> int:
    """The exit status is 0: what may differ is told in docs/differences.md."""
    options = _options()
    plain = sources.tests()
    folders = {False: plain, True: sources.with_package(plain)}
    names = [file.name for file in sorted(plain.glob("*.test")) if _is_wanted(file.stem, options.only)]
    found: dict[str, dict[Shell, set[str]]] = {}
    passed: Counter[Shell] = Counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        comparing = {pool.submit(_compare, folders, name, options.tries): name for name in names}
        for number, done in enumerate(as_completed(comparing), 1):
            name = comparing[done]
            found[name], counts = done.result()
            passed.update(counts)
            told = " ".join(f"{shell.name}:{len(tests)}" for shell, tests in found[name].items() if tests)
            print(f"[{number}/{len(names)}] {name} {told}", file=sys.stderr, flush=True)
    _print_table(found, passed)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tclsuite", description=__doc__)
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="files, without .test")
    parser.add_argument("--jobs", type=int, default=2, help="files at the same time (default: 2)")
    parser.add_argument("--tries", type=int, default=2, help="times that a test must differ (default: 2)")
    return parser.parse_args()


def _is_wanted(stem: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(stem, pattern) for pattern in patterns)


def _compare(
    folders: dict[bool, Path], name: str, tries: int
) -> tuple[dict[Shell, set[str]], Counter[Shell]]:
    """For each of our shells the tests of a file that differ, each time;
    and how many passed at first.
    """
    passed: Counter[Shell] = Counter()
    differing: dict[Shell, set[str]] = {}
    for number in range(tries):
        shells = [shell for shell in SHELLS[1:] if number == 0 or differing[shell]]
        if not shells:
            break
        reference = _run(SHELLS[0], folders, name)
        results = {shell: _run(shell, folders, name) for shell in shells}
        for shell, result in results.items():
            tests = differences(reference, result)
            differing[shell] = differing.get(shell, tests) & tests
        if number == 0:
            passed.update({shell: _passes(result) for shell, result in results.items()})
            passed[SHELLS[0]] = _passes(reference)
    return differing, passed


def _run(shell: Shell, folders: dict[bool, Path], name: str) -> Outcomes:
    return run(shell, folders[shell.with_package] / name, LOGS / shell.name / f"{name}.log")


def _passes(outcomes: Outcomes) -> int:
    return sum(told.count("PASSED") for told in outcomes.values())


def _print_table(found: dict[str, dict[Shell, set[str]]], passed: Counter[Shell]) -> None:
    form = "{:16}" + "{:>18}" * len(SHELLS)
    print(form.format("", *(shell.name for shell in SHELLS)))
    print(form.format("passed", *(passed[shell] for shell in SHELLS)))
    rows = {name: found[name] for name in sorted(found) if any(found[name].values())}
    totals = [sum(len(row[shell]) for row in rows.values()) for shell in SHELLS[1:]]
    print(form.format("tests that differ", "", *totals))
    for name, row in rows.items():
        print(form.format(name, "", *(len(row[shell]) for shell in SHELLS[1:])))
    for name, row in rows.items():
        for test in sorted(set().union(*row.values())):
            print(f"{name} {test}: {', '.join(shell.name for shell in row if test in row[shell])}")


sys.exit(main())
