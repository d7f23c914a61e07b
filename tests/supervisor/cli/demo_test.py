#!/usr/bin/env python3
"""demo_test.py HASTUR: `hastur demo` with daemons that are only pretended, so that it is tested alone.

The pretended programs stand beside a copy of hastur, as the real ones do. They bind what they are told to, and the
supervisor answers what the test wrote into a file.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HASTUR = sys.argv.pop(1)

PRETENDED = r'''#!{python}
import http.server, json, os, pathlib, signal, socket, sys, tomllib

here = pathlib.Path(__file__).parent
name = pathlib.Path(__file__).name
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
config = tomllib.loads(pathlib.Path(flags["--config"]).read_text())[name]
address = lambda key: (flags.get("--" + key) or config[key]).rsplit("/", 1)[-1].rsplit(":", 1)
print(name, "begins", flush=True)
if (here / (name + ".fails")).exists():
    print("the reason is written here", flush=True)
    sys.exit(3)
if (here / (name + ".stubborn")).exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

if name == "syndicator":
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address("udp")[0], int(address("udp")[1])))
    request = socket.create_server((address("request")[0], int(address("request")[1])))
    (here / "received").write_bytes(udp.recv(70000))
    while True:
        signal.pause()

class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        answers = json.loads((here / "answers.json").read_text())
        if path == "/metrics":
            body = "hastur_received_total %d\n" % (here / "received").exists()
        else:
            body = json.dumps(answers.get(path, {{"items": [], "next": None}}))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

http.server.HTTPServer((address("http")[0], int(address("http")[1])), Api).serve_forever()
'''


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copy(HASTUR, self.folder / "hastur")
        for name in ("syndicator", "supervisor"):
            program = self.folder / name
            program.write_text(PRETENDED.format(python=sys.executable))
            program.chmod(0o755)
        (self.folder / "triggers").mkdir()
        (self.folder / "triggers" / "load_spike.lua").write_text('{ name = "ots.transcoding.load" }')
        self.answer({})
        self.ports = {"udp": free_port(socket.SOCK_DGRAM), "publish": free_port(socket.SOCK_STREAM),
                      "request": free_port(socket.SOCK_STREAM), "http": free_port(socket.SOCK_STREAM)}
        self.lines = []

    def answer(self, answers):
        # At once: it may be read at any time.
        (self.folder / "answers.new").write_text(json.dumps(answers))
        (self.folder / "answers.new").rename(self.folder / "answers.json")

    def configure(self):
        run = self.folder / "run"
        run.mkdir()
        zmq = "".join(f'{key} = "tcp://127.0.0.1:{self.ports[key]}"\n' for key in ("publish", "request"))
        (run / "hastur.toml").write_text(
            f'[syndicator]\nudp = "127.0.0.1:{self.ports["udp"]}"\n{zmq}'
            f'[supervisor]\nhttp = "127.0.0.1:{self.ports["http"]}"\n{zmq}')

    def start(self):
        self.demo = subprocess.Popen([self.folder / "hastur", "demo", "--directory", "run"], cwd=self.folder,
                                     stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.demo.stdout.close)
        self.addCleanup(self.demo.wait)
        self.addCleanup(self.demo.kill)

    def read_until(self, *parts):
        """Reads until each part has come, in whatever order."""
        missing = set(parts)
        for line in self.demo.stdout:
            self.lines.append(line.rstrip("\n"))
            missing -= {part for part in missing if part in line}
            if not missing:
                return
        self.fail(f"{missing} never came in:\n" + "\n".join(self.lines))

    def stop(self):
        self.demo.send_signal(signal.SIGINT)
        self.lines += self.demo.stdout.read().splitlines()
        return self.demo.wait()

    def children(self):
        return pathlib.Path(f"/proc/{self.demo.pid}/task/{self.demo.pid}/children").read_text().split()

    def test_runs_watches_and_stops(self):
        self.configure()
        self.answer({"/v1/triggers": {"items": [{"name": "load_spike", "status": "running", "version": "1"}]}})
        self.start()
        # The first look is over when its status has come.
        self.read_until("Ctrl-C stops", "behind 0")
        text = "\n".join(self.lines)
        for part in ("syndicator", "supervisor", "host-metrics", f'UDP 127.0.0.1:{self.ports["udp"]}',
                     "send gauge ots.transcoding.load 12", "--label send_to=load_tester",
                     f'--to 127.0.0.1:{self.ports["udp"]}', "edit one and save  triggers/load_spike.lua"):
            self.assertIn(part, text)
        self.assertTrue(all(len(line) <= 80 for line in self.lines if "/tmp" not in line), text)
        children = self.children()
        self.assertEqual(len(children), 3)
        self.answer({"/v1/notifications": {"items": [{"id": "n-1", "kind": "slack", "text": "high", "trigger": "t",
                                                      "status": "recorded"}], "next": None}})
        self.read_until("would notify  ", "gone          load_spike")
        self.assertEqual(self.stop(), 0, self.lines)
        self.assertIn("stopped in", self.lines[-1])
        for child in children:
            self.assertFalse(os.path.exists(f"/proc/{child}"))
        self.assertEqual(json.loads((self.folder / "received").read_bytes())["type"], "reg_agent")

    def test_takes_other_ports_and_says_so(self):
        self.configure()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", self.ports["udp"]))
            with socket.create_server(("127.0.0.1", self.ports["http"])):
                self.start()
                self.read_until(f'UDP port {self.ports["udp"]} is taken; using ',
                                f'TCP port {self.ports["http"]} is taken; using ', "Ctrl-C stops")
                self.assertIn("--http 127.0.0.1:", "\n".join(self.lines))
                self.assertEqual(self.stop(), 0)

    def test_says_which_program_ended_and_why(self):
        self.configure()
        (self.folder / "supervisor.fails").touch()
        self.start()
        self.assertEqual(self.demo.wait(), 1)
        text = self.demo.stdout.read()
        self.assertIn("supervisor ended with exit code 3", text)
        self.assertIn("run/supervisor.log", text)
        self.assertIn("  the reason is written here", text)

    def test_notices_a_death_while_it_watches(self):
        self.configure()
        self.start()
        self.read_until("Ctrl-C stops")
        os.kill(int(self.children()[0]), signal.SIGKILL)
        self.read_until("syndicator was ended by signal 9 (Killed)")
        self.demo.stdout.read()
        self.assertEqual(self.demo.wait(), 1)

    def test_kills_what_does_not_stop(self):
        self.configure()
        (self.folder / "syndicator.stubborn").touch()
        self.start()
        self.read_until("Ctrl-C stops")
        self.assertEqual(self.stop(), 1)
        self.assertIn("syndicator did not stop within 10s and was killed", "\n".join(self.lines))

    def test_writes_a_configuration_if_there_is_none(self):
        (self.folder / "syndicator.fails").touch()
        self.start()
        self.demo.stdout.read()
        self.assertEqual(self.demo.wait(), 1)
        config = (self.folder / "run" / "hastur.toml").read_text()
        self.assertIn(f'directory = "{self.folder}/triggers"', config)
        self.assertIn('notify = "record"', config)

    def test_needs_a_folder_of_triggers(self):
        shutil.rmtree(self.folder / "triggers")
        self.start()
        self.assertIn("there is no folder triggers", self.demo.stdout.read())
        self.assertEqual(self.demo.wait(), 1)


if __name__ == "__main__":
    # A demo that hangs must not hang the test: its end is the end of what is read.
    watchdog = threading.Timer(100, lambda: os._exit(1))
    watchdog.daemon = True
    watchdog.start()
    unittest.main()
