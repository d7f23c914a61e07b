#!/usr/bin/env python3
"""tidy.py CHECK ROOT [BUILD]: prints what is out of order, one line each; exit code 1 if anything is.

CHECK is layers, calls, links, names or format. BUILD is the build folder, for layers.txt and programs.txt.
"""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import calls
import layers
import links
import names
from source import source_files


def check_format(root):
    tool = shutil.which("clang-format-14")
    if tool is None:
        return ["clang-format-14 is not installed (packages.apt)"]
    run = subprocess.run([tool, "--dry-run", "-Werror", *source_files(root)], cwd=root, capture_output=True,
                         text=True)
    wrong = {line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line}
    if run.returncode != 0 and not wrong:
        return [run.stderr.strip()]
    return [f"{path}: not as clang-format-14 writes it; ./dev fmt" for path in sorted(wrong)]


def main(check, root, build=None):
    build = pathlib.Path(build) if build else None
    if check == "layers":
        found = layers.findings(root, (build / "layers.txt").read_text())
    elif check == "calls":
        found = calls.findings(root)
    elif check == "links":
        found = links.findings(build / "bin", (build / "programs.txt").read_text().split())
    elif check == "names":
        found = names.findings(build, layers.read_layers((build / "layers.txt").read_text()))
    elif check == "format":
        found = check_format(root)
    else:
        sys.exit(__doc__)
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
