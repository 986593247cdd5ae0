#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/read-meta.py, as a program and as what other programs are made of.

usage: VAELSTM_MODEL=MODEL test-read-meta.py READ-META.PY

To the tiny model every test pattern is an anomaly.
"""

import gc
import importlib.util
import os
import subprocess
import sys
import unittest

try:
    import gi

    gi.require_version("Gst", "1.0")
except (ImportError, ValueError) as missing:
    print(missing)
    sys.exit(77)

sys.dont_write_bytecode = True  # beside the program
PROGRAM = sys.argv.pop()
FRAMES = 20
DETECTOR = (
    f"videotestsrc num-buffers={FRAMES} !"
    " video/x-raw,width=160,height=120,framerate=10/1 !"
    f" vaelstmdetect model-file={os.environ['VAELSTM_MODEL']}"
)


def import_program():
    spec = importlib.util.spec_from_file_location("read_meta", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments):
    return subprocess.run(
        [sys.executable, PROGRAM, *arguments], capture_output=True, text=True
    )


class Program(unittest.TestCase):
    def assert_story(self, pipeline):
        ran = run(*pipeline.split())
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(ran.stdout.count("  score "), FRAMES, ran.stdout)
        self.assertNotIn("no meta", ran.stdout)
        self.assertIn("start of event 1,", ran.stdout)
        self.assertIn(f"{(FRAMES - 1) / 10:6.2f}  end of event 1,", ran.stdout)
        self.assertIn(f"{(FRAMES - 1) / 10:6.2f}  detecting", ran.stdout)

    def test_raw(self):
        self.assert_story(DETECTOR)

    def test_encoded(self):
        self.assert_story(f"{DETECTOR} ! x264enc ! h264parse")
        self.assert_story(f"{DETECTOR} ! jpegenc")

    def test_no_detector(self):
        ran = run("videotestsrc", "num-buffers=1")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout, "  0.00  no meta\n")

    def test_usage(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("usage:", run("--help").stdout)

    def test_errors(self):
        for pipeline, named in (
            ("no-such-element", "no-such-element"),
            ("videotestsrc ! vaelstmdetect mode=detect model-file=/gone", "/gone"),
        ):
            ran = run(*pipeline.split())
            self.assertEqual(ran.returncode, 1)
            self.assertIn(named, ran.stderr)


class Meta(unittest.TestCase):
    def test_fields_outlive_the_buffer(self):
        read_meta = import_program()
        Gst = read_meta.Gst
        Gst.init(None)
        pipeline = Gst.parse_launch(f"{DETECTOR} ! jpegenc ! appsink name=read")
        sink = pipeline.get_by_name("read")
        pipeline.set_state(Gst.State.PLAYING)

        said = []
        for _ in range(FRAMES):
            said.append(read_meta.read_meta(sink.emit("pull-sample").get_buffer()))
            gc.collect()
        pipeline.set_state(Gst.State.NULL)

        for values in said:
            self.assertEqual(
                {name: type(value) for name, value in values.items()},
                {
                    "score": float,
                    "appearance": float,
                    "dynamics": float,
                    "threshold": float,
                    "anomalous": bool,
                    "event-id": int,
                    "state": str,
                    "age": int,
                },
            )
        self.assertEqual(said[0]["state"], "warming-up")
        self.assertFalse(said[0]["anomalous"])
        self.assertEqual(said[-1]["state"], "detecting")
        self.assertTrue(said[-1]["anomalous"])
        self.assertEqual(said[-1]["event-id"], 1)
        self.assertGreater(said[-1]["score"], said[-1]["threshold"])


if __name__ == "__main__":
    unittest.main()
