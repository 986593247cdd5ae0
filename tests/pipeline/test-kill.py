#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder that is killed in the middle of a segment leaves a file that plays,
and has all but the last two seconds.

usage: VAELSTM_MODEL=MODEL test-kill.py

To the tiny model every test pattern is an anomaly.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import clips  # noqa: E402

RATE = 10  # frames/s
REPORT = re.compile(r"progressreport0 \(.*\): (\d+) ")
ENOUGH = 5  # s of the stream
LOST = 2  # s at most: a group of pictures, and a fragment


def line(kind, location):
    """Key frames every second."""
    return (
        "videotestsrc is-live=true pattern=ball"
        f" ! video/x-raw,width=160,height=120,framerate={RATE}/1"
        f" ! vaelstmdetect model-file={os.environ['VAELSTM_MODEL']}"
        f" ! x264enc tune=zerolatency key-int-max={RATE} ! h264parse"
        " ! vaelstmgate"
        " ! progressreport do-query=false update-freq=1"
        f" ! queue ! splitmuxsink max-size-time=0 {clips.ROBUST[kind]}"
        f" location={location}"
    )


def record_and_die(kind, location):
    """Returns how many seconds of the stream had come through the gate."""
    command = ["gst-launch-1.0", *shlex.split(line(kind, location))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
        reports = map(REPORT.match, recorder.stdout)
        seconds = next((t for t in (int(r[1]) for r in reports if r) if t >= ENOUGH), 0)
        recorder.send_signal(signal.SIGKILL)
    assert recorder.returncode == -signal.SIGKILL, recorder.returncode
    return seconds


class Kill(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def check(self, kind):
        path = os.path.join(self.directory, f"event.{kind}")
        seconds = record_and_die(kind, path)
        self.assertGreaterEqual(seconds, ENOUGH)

        clip = clips.Clip(path)
        clips.discover([path])
        self.assertTrue(clip.starts_with_key_frame)
        self.assertGreaterEqual(len(clip.frames), (seconds - LOST) * RATE)
        for n, (time, _) in enumerate(clip.frames):
            self.assertAlmostEqual(time, clip.frames[0][0] + n / RATE, delta=0.002)

    def test_mkv(self):
        self.check("mkv")

    def test_mp4(self):
        self.check("mp4")


if __name__ == "__main__":
    clips.main()
