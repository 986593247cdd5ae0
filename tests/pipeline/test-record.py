#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/record.py.

usage: VAELSTM_MODEL=MODEL test-record.py RECORD.PY

To the tiny model every test pattern is an anomaly.
"""

import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import gi

    gi.require_version("Gst", "1.0")
except (ImportError, ValueError) as missing:
    print(missing)
    sys.exit(77)

sys.dont_write_bytecode = True
import clips  # noqa: E402

PROGRAM = sys.argv.pop()
RATE = 10  # frames/s
PATIENCE = 30  # s
NAME = re.compile(r"(\d{8}T\d{6}\.\d{3})Z\.(mkv|mp4)$")


def pipeline(source, detector=""):
    return (
        f"videotestsrc {source} ! video/x-raw,width=160,height=120,framerate={RATE}/1"
        f" ! vaelstmdetect model-file={os.environ['VAELSTM_MODEL']} {detector}"
        f" ! x264enc tune=zerolatency key-int-max={RATE} ! h264parse"
    ).split()


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Record(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def start(self, *arguments, **how):
        return subprocess.Popen(
            [sys.executable, PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def run_to_end(self, *arguments, **how):
        program = self.start(*arguments, **how)
        out, errors = program.communicate(timeout=PATIENCE)
        return program.returncode, out, errors

    def wait_for_file(self):
        for _ in range(PATIENCE * 10):
            if os.listdir(self.directory):
                return
            time.sleep(0.1)
        self.fail("no file")

    def check_file(self, path, kind, since, until):
        """Named by when its first frame was taken."""
        stamp, extension = NAME.search(path).groups()
        self.assertEqual(extension, kind)
        taken = datetime.datetime.strptime(stamp + "+0000", "%Y%m%dT%H%M%S.%f%z")
        self.assertLessEqual(since, taken)
        clip = clips.Clip(path)
        clips.discover([path])
        length = len(clip.frames) / RATE
        self.assertAlmostEqual(clip.duration, length, delta=1 / RATE)
        # The last frame may have had its time when it was taken, not its end.
        self.assertLessEqual(taken + datetime.timedelta(seconds=length - 0.1), until)

    def test_interrupt(self):
        for kind, options in (("mkv", ()), ("mp4", ("--mp4",))):
            with self.subTest(kind), tempfile.TemporaryDirectory() as self.directory:
                since = now()
                source = pipeline("is-live=true")
                program = self.start(*options, "--directory", self.directory, *source)
                self.wait_for_file()
                program.send_signal(signal.SIGINT)
                out, errors = program.communicate(timeout=PATIENCE)
                self.assertEqual((program.returncode, errors), (0, ""))
                (path,) = clips.list_clips(self.directory)
                self.assertEqual(out, path + "\n")
                self.check_file(path, kind, since, now())

    def test_no_event(self):
        source = pipeline("num-buffers=30", "threshold=1e9")
        ended = self.run_to_end("--directory", self.directory, *source)
        self.assertEqual(ended, (0, "", ""))
        self.assertEqual(os.listdir(self.directory), [])

    def test_usage(self):
        self.assertEqual(self.run_to_end()[0], 2)
        code, out, _ = self.run_to_end("--help")
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("usage:"), out)

    def test_errors(self):
        for source, named in (
            (["no-such-element"], "no-such-element"),
            (pipeline("num-buffers=30", "mode=detect model-file=/gone"), "/gone"),
        ):
            code, out, errors = self.run_to_end(*source)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(named, errors)

    def test_no_directory(self):
        """splitmuxsink 1.22 may assert when it is stopped after that error."""
        environment = {k: v for k, v in os.environ.items() if k != "G_DEBUG"}
        code, out, errors = self.run_to_end(
            "--directory", "/gone", *pipeline("num-buffers=30"), env=environment
        )
        self.assertEqual((code, out), (1, ""))
        self.assertIn("/gone", errors)


if __name__ == "__main__":
    clips.main()
