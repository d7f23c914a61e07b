"""What each program links: the column "never holds" of the design's table of programs."""

import pathlib
import subprocess

# libgit2 reads commits for those who deploy and prove scripts, and opens what others have written: whoever numbers the
# stream or runs a script has no part in that.
NEVER = {
    "syndicator": ["luajit", "git2"],
    "supervisor": ["luajit"],
    "trigger-worker": ["sqlite3", "zmq", "curl", "git2"],
    "trigger-test": ["luajit", "sqlite3", "zmq", "curl"],
    "hastur": ["luajit", "sqlite3"],
}


def libraries_of(binary):
    """The names of all shared libraries that the program loads, those of its libraries too."""
    listed = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout
    return [line.split()[0].rsplit("/", 1)[-1] for line in listed.splitlines() if line.strip()]


def findings(bin_folder, programs, never=None):
    """`programs`: the names that the build makes. A program it does not make yet is not looked for."""
    never = NEVER if never is None else never
    found = []
    for program in sorted(programs):
        if program not in never:
            found.append(f"{program}: tests/tidy/links.py does not say what it must not link")
            continue
        binary = pathlib.Path(bin_folder) / program
        if not binary.exists():
            found.append(f"{binary} is not built; build everything before the tests")
            continue
        for library in libraries_of(binary):
            for name in never[program]:
                if library.startswith("lib" + name):
                    found.append(f"{program} links {library}; it must never hold {name}")
    return found
