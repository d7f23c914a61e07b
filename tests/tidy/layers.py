"""Layers: what a folder includes is what its CMakeLists.txt says (build/layers.txt), and that is what the design
allows. tests/ and bench/ may include everything."""

from source import includes_of, read, source_files

# Which layers may include which, as docs/ARCHITECTURE.md draws it. A name stands for its subfolders too. A folder
# may always include itself; the last line that fits a folder counts.
DESIGN = {
    "core": [],
    "message": ["core"],
    "state": ["state", "message", "core"],
    "syndicator": ["syndicator", "state/history", "message", "core"],
    "syndicator/client": ["message", "core"],
    "trigger-runtime": ["trigger-runtime/vm", "trigger-runtime/cage", "trigger-runtime/protocol", "message", "core"],
    "trigger-runtime/protocol": ["message", "core"],
    # Scripts as they lie in a folder or a commit: for whoever proves them and for whoever runs them.
    "trigger-runtime/sources": ["trigger-runtime/protocol", "message", "core"],
    "trigger-runtime/host": ["trigger-runtime/protocol", "message", "core"],
    "trigger-runtime/vm": ["trigger-runtime/vm/helpers", "trigger-runtime/protocol", "message", "core"],
    "trigger-runtime/vm/helpers": ["message", "core"],
    "trigger-runtime/cage": ["trigger-runtime/protocol", "message", "core"],
    "trigger-test": ["trigger-runtime/host", "trigger-runtime/sources", "trigger-runtime/protocol", "message", "core"],
    "supervisor": ["supervisor", "state", "trigger-runtime/host", "trigger-runtime/sources",
                   "trigger-runtime/protocol", "syndicator/client", "message", "core"],
}


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def longest(path, folders):
    """The folder of `folders` that `path` lies deepest in, or None."""
    fitting = [folder for folder in folders if within(path, folder)]
    return max(fitting, key=len) if fitting else None


def read_layers(text):
    """build/layers.txt: folder -> the layers that its CMakeLists.txt allows."""
    layers = {}
    for line in text.splitlines():
        folder, _, allowed = line.partition(":")
        layers.setdefault(folder.strip(), set()).update(allowed.split())
    return layers


def findings_of_layers(layers):
    """What CMake allows and the design does not, and circles."""
    for folder, allowed in sorted(layers.items()):
        line = longest(folder, DESIGN)
        if line is None:
            yield f"{folder}: the design has no such layer (tests/tidy/layers.py, DESIGN)"
            continue
        for other in sorted(allowed):
            if other != folder and longest(other, DESIGN[line]) is None:
                yield f"{folder}/CMakeLists.txt: may not include {other}/; the design allows {DESIGN[line]}"
    done = set()

    def walk(folder, path):
        if folder in path:
            yield "layers in a circle: " + " -> ".join(path[path.index(folder):] + [folder])
        elif folder not in done:
            for other in sorted(layers.get(folder, ())):
                if other != folder:
                    yield from walk(other, path + [folder])
            done.add(folder)

    for folder in sorted(layers):
        yield from walk(folder, [])


def findings_of_includes(root, layers):
    for path in source_files(root):
        if within(path, "tests") or within(path, "bench"):
            continue
        layer = longest(path, layers)
        if layer is None:
            yield f"{path}: lies in no layer that CMake knows (hastur_layer or hastur_program)"
            continue
        for number, form, included in includes_of(read(root, path)):
            if form == "<":
                continue
            if "/" not in included:
                yield f'{path}:{number}: "{included}" is not named from the root'
                continue
            other = longest(included, layers)
            if other is None:
                yield f'{path}:{number}: "{included}" lies in no layer'
            elif other != layer and other not in layers[layer]:
                yield f'{path}:{number}: {layer}/ may not include "{included}" ({layer}/CMakeLists.txt)'


def findings(root, layers_text):
    layers = read_layers(layers_text)
    if not layers:
        return ["build/layers.txt names no layer"]
    return [*findings_of_layers(layers), *findings_of_includes(root, layers)]
