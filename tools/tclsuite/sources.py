"""The sources of Tcl, by apt, with lists and a cache of our own:
those of the system stay as they are.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "tclsuite"
_REQUIRE = b"package require kafka ;"  # in front of the first line, a comment: lines keep their numbers


def tests() -> Path:
    """The folder of Tcl's tests, fetched the first time."""
    found = _unpacked()
    if not found:
        _fetch()
        found = _unpacked()
    return found[-1] / "tests"


def with_package(folder: Path) -> Path:
    """A copy of the tests, beside them, whose files load the package kafka first."""
    copy = folder.with_name("tests-with-kafka")
    if not copy.exists():
        part = copy.with_suffix(".part")
        subprocess.run(["cp", "-r", folder, part], check=True)
        for file in part.glob("*.test"):
            file.write_bytes(_REQUIRE + file.read_bytes())
        part.rename(copy)
    return copy


def _unpacked() -> list[Path]:
    return sorted(CACHE.glob("tcl8.6-*"))


def _fetch() -> None:
    apt = CACHE / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    sources = sorted(line for line in set(told.stdout.splitlines()) if line.endswith(" main"))
    (apt / "sources.list").write_text("".join(f"deb-src {line}\n" for line in sources))
    places = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, place in places.items() for word in ("-o", f"{name}={place}")]
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    subprocess.run(["apt-get", *options, "-qq", "source", "tcl8.6"], cwd=CACHE, check=True)
