"""Calls and headers that belong in one place only: real time, randomness, sleeping, throwing, libraries."""

import fnmatch
import re

from source import code_of, includes_of, read, source_files

# (what it is, pattern, where it is allowed)
CALLS = [
    ("real time is read by core/clock only",
     r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock)\s*::\s*now\b|\bclock_gettime\s*\((?!CLOCK_(PROCESS|THREAD)_CPUTIME_ID)"
     r"|\bgettimeofday\s*\(|\btimespec_get\s*\(|(?<![\w.>])(?:std::|::)?time\s*\(\s*(nullptr|NULL|0|&)",
     ["core/clock.cc", "trigger-runtime/host/child_process.cc",  # the CPU time of a worker
      "tests/core/clock_test.cc", "bench/*"]),
    ("seeds are made by core/random only",
     r"\brandom_device\b|(?<![\w.>:])(?:std::)?s?rand\s*\(|\bgetrandom\s*\(|\bgetentropy\s*\(|\barc4random|\b[dlm]rand48",
     ["core/random.cc"]),
    ("nothing sleeps: wait for the event itself",
     r"\bsleep_(for|until)\b|(?<![\w.>])(?:::)?(u|nano)?sleep\s*\(",
     ["tests/integration/*", "tests/crash/*",
      "bench/latency_bench.cc"]),
    ("nothing of ours throws: return a Result", r"\bthrow\b", ["tests/*"]),
]

# Library header -> where it may be included. tests/ and bench/ may include what they test against.
WRAPPERS = {
    "nlohmann/*": ["core/json.h", "core/json_fwd.h"],
    "xxhash.h": ["core/hash.h"],
    "spdlog/*": ["core/log.cc"],
    "toml++/*": ["core/settings.cc"],
    "CLI/*": ["core/command_line.cc"],
    "boost/asio*": ["core/loop.h", "core/loop.cc", "supervisor/http/*"],
    "boost/beast*": ["supervisor/http/*"],
    "boost/uuid/*": ["message/message.cc"],
    "simdjson.h": ["message/json_codec.cc"],
    "msgpack*": ["message/msgpack.h", "message/msgpack.cc"],
    "zstd.h": ["state/history/compressor.cc"],
    "sqlite3.h": ["state/sqlite/*"],
    "zmq*": ["syndicator/client/zmq.h", "syndicator/client/zmq.cc"],
    "lua*": ["trigger-runtime/vm/lua.h"],
    "seccomp.h": ["trigger-runtime/cage/*"],
    "linux/*": ["trigger-runtime/cage/*"],
    "curl/*": ["supervisor/cli/http_client.cc", "supervisor/notify/*"],
    "openssl/*": ["supervisor/notify/hmac.cc"],
    "git2*": ["trigger-runtime/sources/*"],
    "fmt/*": ["*"],
    "gtest/*": [], "gmock/*": [], "rapidcheck*": [], "benchmark/*": [],
}
# The C library's own, beside <sys/…> and its like.
SYSTEM = re.compile(
    r"^(sys|netinet|arpa|net|bits)/|^[a-z0-9_]+$"
    r"|^(dirent|dlfcn|err|ifaddrs|errno|fcntl|glob|grp|link|limits|malloc|netdb|poll|pthread|pwd|sched|signal|spawn|stdint"
    r"|stdio|stdlib|string|strings|syscall|termios|time|ucontext|unistd|math|immintrin|x86intrin|elf|fenv)\.h$"
    r"|^sanitizer/")

LINES_MAX = 800


def allowed(path, places):
    return any(fnmatch.fnmatch(path, place) for place in places)


def findings_of_file(path, text):
    code = code_of(text)
    for rule, pattern, places in CALLS:
        if allowed(path, places):
            continue
        for match in re.finditer(pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match.group(0).strip()}: {rule}"
    for number, form, header in includes_of(text):
        if form != "<" or SYSTEM.match(header):
            continue
        rules = [places for name, places in WRAPPERS.items() if fnmatch.fnmatch(header, name)]
        if not rules:
            yield f"{path}:{number}: <{header}> is of no library that tests/tidy/calls.py knows"
        elif not path.startswith(("tests/", "bench/")) and not any(allowed(path, places) for places in rules):
            yield f"{path}:{number}: <{header}> belongs in its wrapper: {', '.join(rules[0]) or 'tests and benches'}"
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}: a header begins with #pragma once"
    if (lines := text.count("\n")) > LINES_MAX:
        yield f"{path}: {lines} lines; a file over {LINES_MAX} is more than one thing"


def findings(root):
    return [finding for path in source_files(root) for finding in findings_of_file(path, read(root, path))]
