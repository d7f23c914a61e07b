"""What the checks share: the source files of a tree, and their code without comments and strings."""

import pathlib
import re

FOLDERS = ("bench", "core", "message", "state", "supervisor", "syndicator", "tests", "trigger-runtime",
           "trigger-test")


def source_files(root, endings=(".cc", ".h")):
    """The tree's files with one of these endings, as paths relative to it, in order."""
    root = pathlib.Path(root)
    found = []
    for folder in FOLDERS:
        found += [path for path in (root / folder).rglob("*") if path.suffix in endings and path.is_file()]
    return sorted(path.relative_to(root).as_posix() for path in found)


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


# In order: raw string, string, character (but no digit separator), line comment, block comment.
_NOT_CODE = re.compile(
    r'R"(?P<end>[^()\s\\]{0,16})\(.*?\)(?P=end)"'
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'"
    r"|//(?:[^\n\\]|\\.)*"
    r"|/\*.*?\*/",
    re.DOTALL)


def code_of(text):
    """The text with comments blanked and literals emptied; every line keeps its number."""
    def blank(match):
        token = match.group(0)
        kept = "\n" * token.count("\n")
        return kept if token.startswith("/") else '""' + kept
    return _NOT_CODE.sub(blank, text)


_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes_of(text):
    """(line, '<' or '"', path) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _INCLUDE.match(line):
            yield number, match.group(1), match.group(2)
