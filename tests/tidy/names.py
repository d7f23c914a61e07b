"""One name, one meaning: no function or variable is defined in two layers. The linker would take one of them silently."""

import collections
import pathlib
import subprocess


def definitions(library):
    """The names with code or data of their own that the library gives to others; what every user repeats is not among them."""
    listed = subprocess.run(["nm", "--defined-only", "--extern-only", "--demangle", str(library)], capture_output=True,
                            text=True, check=True).stdout
    for line in listed.splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[1] in "TDBR":
            yield parts[2]


def findings(build, layers):
    """Looks at the static libraries of the folders `layers` below `build`; others are left of a layer that was."""
    build = pathlib.Path(build)
    homes = collections.defaultdict(set)
    for library in sorted(build.rglob("libhastur_*.a")):
        folder = library.relative_to(build).parent.as_posix()
        if folder not in layers:
            continue
        for name in definitions(library):
            if name.startswith("hastur::"):
                homes[name].add(folder)
    return [f"{name} is defined in {' and in '.join(sorted(places))}" for name, places in sorted(homes.items())
            if len(places) > 1]
