#!/usr/bin/env python3
"""Every check of this folder finds the fault that is planted for it, and nothing in what is in order."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import calls
import layers
import links
import names
import source
import tidy


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)


class CodeOf(unittest.TestCase):
    def test_blanks_comments_and_literals_and_keeps_lines(self):
        text = 'a(); // throw\n/* throw\n throw */ b("throw \\" throw", \'"\', R"x(throw ")x"); 1\'000\'000;\n throw'
        code = source.code_of(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual(code.count("throw"), 1)
        self.assertIn("b(", code)


class Layers(Tree):
    good = "core: \nmessage: core\nstate: message core\nsyndicator/client: message core\n"

    def findings(self, text=None):
        return layers.findings(self.root, text or self.good)

    def test_what_is_in_order_has_no_finding(self):
        self.plant("core/a.h", '#include <vector>\n#include "core/b.h"\n')
        self.plant("state/a.cc", '#include "state/a.h"\n#include "message/m.h"\n')
        self.plant("tests/a.cc", '#include "state/a.h"\n')
        self.assertEqual(self.findings(), [])

    def test_an_include_upwards_is_found(self):
        self.plant("core/a.h", '#pragma once\n#include "message/message.h"\n')
        self.assertEqual(len(self.findings()), 1)
        self.assertIn("core/a.h:2", self.findings()[0])

    def test_a_folder_without_a_layer_is_found(self):
        self.plant("supervisor/new/a.cc", "")
        self.assertEqual(len(self.findings()), 1)

    def test_an_include_that_is_not_from_the_root_is_found(self):
        self.plant("core/a.cc", '#include "a.h"\n')
        self.assertEqual(len(self.findings()), 1)

    def test_a_subfolder_is_a_layer_of_its_own(self):
        self.plant("state/a.cc", '#include "syndicator/client/c.h"\n')
        self.assertEqual(len(self.findings()), 1)

    def test_what_cmake_allows_and_the_design_does_not_is_found(self):
        self.assertEqual(len(self.findings("core: message\nmessage: \n")), 1)
        self.assertEqual(len(self.findings("trigger-test: trigger-runtime/vm\n")), 1)
        self.assertEqual(len(self.findings("syndicator: state\n")), 1)
        self.assertEqual(len(self.findings("kitchen: core\n")), 1)

    def test_a_circle_is_found(self):
        found = self.findings("supervisor/a: supervisor/b\nsupervisor/b: supervisor/a\n")
        self.assertTrue(any("circle" in finding for finding in found), found)

    def test_no_layers_at_all_is_found(self):
        self.assertEqual(len(layers.findings(self.root, "")), 1)


class Calls(Tree):
    def found(self, text, path="state/a.cc"):
        return list(calls.findings_of_file(path, text))

    def test_each_banned_call_is_found(self):
        for line in ("auto t = std::chrono::system_clock::now();", "std::chrono::steady_clock::now()",
                     "clock_gettime(CLOCK_REALTIME, &t);", "time(nullptr)", "std::time(0)", "gettimeofday(&t, 0)",
                     "std::random_device device;", "rand()", "std::rand()", "srand(1)", "getrandom(p, 1, 0)",
                     "std::this_thread::sleep_for(1ms);", "usleep(5)", "sleep(1)", "::nanosleep(&t, 0)",
                     "throw 1;"):
            self.assertEqual(len(self.found("int a;\n" + line + "\n")), 1, line)
            self.assertIn("state/a.cc:2:", self.found("int a;\n" + line + "\n")[0])

    def test_what_only_looks_like_one_is_not(self):
        for line in ("tick.time(0)", "stream_time(0)", "// throw", '"throw"', "brand()", "operand(1)", "overthrow",
                     "message->sleep(1)", "x.rand()", "asleep(1)", "boost::asio::steady_timer timer;", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t)"):
            self.assertEqual(self.found(line + "\n"), [], line)

    def test_each_place_may_do_what_it_is_for(self):
        self.assertEqual(self.found("clock_gettime(CLOCK_REALTIME, &t);\n", "core/clock.cc"), [])
        self.assertEqual(self.found("getrandom(p, 1, 0)\n", "core/random.cc"), [])
        self.assertEqual(len(self.found("sleep_for(1ms)\n", "tests/core/a_test.cc")), 1)

    def test_a_library_outside_of_its_wrapper_is_found(self):
        for header in ("sqlite3.h", "lua.hpp", "zmq.hpp", "nlohmann/json.hpp", "curl/curl.h", "boost/asio/post.hpp",
                       "gtest/gtest.h", "brotli/encode.h", "openssl/ssl.h"):
            self.assertEqual(len(self.found(f"#include <{header}>\n", "message/a.cc")), 1, header)
        for header in ("vector", "sys/stat.h", "unistd.h", "cstdint", "fmt/format.h"):
            self.assertEqual(self.found(f"#include <{header}>\n", "message/a.cc"), [], header)
        self.assertEqual(self.found("#include <sqlite3.h>\n", "state/sqlite/database.cc"), [])
        self.assertEqual(self.found("#include <gtest/gtest.h>\n", "tests/a_test.cc"), [])

    def test_a_header_without_pragma_once_is_found(self):
        self.assertEqual(len(self.found("int a;\n", "core/a.h")), 1)

    def test_a_file_that_is_too_long_is_found(self):
        self.assertEqual(len(self.found("int a;\n" * 801)), 1)

    def test_the_whole_tree_is_read(self):
        self.plant("supervisor/deep/er/a.cc", "throw;\n")
        self.plant("build/dev/a.cc", "throw;\n")
        self.assertEqual(len(calls.findings(self.root)), 1)


class Links(Tree):
    def test_a_library_that_must_not_be_there_is_found(self):
        (self.root / "program").symlink_to(sys.executable)
        self.assertEqual(links.findings(self.root, ["program"], {"program": ["luajit"]}), [])
        found = links.findings(self.root, ["program"], {"program": ["c.so", "luajit"]})
        self.assertEqual(len(found), 1)

    def test_a_program_that_is_not_built_is_found(self):
        self.assertEqual(len(links.findings(self.root, ["hastur"])), 1)

    def test_a_program_that_no_rule_names_is_found(self):
        self.assertEqual(len(links.findings(self.root, ["newcomer"])), 1)

    def test_a_program_that_the_build_does_not_make_is_passed_over(self):
        self.assertEqual(links.findings(self.root, []), [])


class Names(Tree):
    def library(self, path, text):
        self.plant(path + ".cc", text)
        code = self.root / (path + ".o")
        subprocess.run(["c++", "-c", str(self.root / (path + ".cc")), "-o", str(code)], check=True)
        subprocess.run(["ar", "rc", str(code.with_name(f"libhastur_{code.stem}.a")), str(code)], check=True)

    def test_a_name_of_two_layers_is_found(self):
        self.library("one/a", "namespace hastur { int f(int) { return 1; } inline int g() { return 2; } int h = g(); }")
        self.library("two/b", "namespace hastur { int f(long) { return 1; } inline int g() { return 2; } int i = g(); }")
        self.assertEqual(names.findings(self.root, {"one", "two"}), [])
        self.library("three/c", "namespace hastur { int f(int) { return 3; } }")
        self.assertEqual(names.findings(self.root, {"one", "two"}), [])
        self.assertEqual(names.findings(self.root, {"one", "two", "three"}), ["hastur::f(int) is defined in one and in three"])


class Format(Tree):
    def test_a_file_that_is_not_formatted_is_found(self):
        self.plant("core/good.h", "int a;\n")
        self.assertEqual(tidy.check_format(self.root), [])
        self.plant("core/bad.h", "int   a ;\n")
        self.assertEqual(len(tidy.check_format(self.root)), 1)
        self.assertIn("core/bad.h", tidy.check_format(self.root)[0])


if __name__ == "__main__":
    unittest.main()
