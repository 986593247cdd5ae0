# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records with gst-launch-1.0 and looks at the files with other people's tools:
ffmpeg, ffprobe and, where it is there, gst-discoverer-1.0.

Times are seconds; where nothing else is said, running times.
"""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

SECOND = 10**9
NEEDED = ("gst-launch-1.0", "ffmpeg", "ffprobe")

# What splitmuxsink is told, so that a killed process leaves files that play.
ROBUST = {
    "mkv": 'muxer="matroskamux offset-to-zero=true"'
    ' sink="filesink buffer-mode=unbuffered"',
    "mp4": 'muxer="mp4mux fragment-duration=1000'
    ' fragment-mode=first-moov-then-finalise"'
    ' sink="filesink buffer-mode=unbuffered"',
}
MISSING = [tool for tool in NEEDED if not shutil.which(tool)]


def run(*command):
    """What it prints; fails if it complains or ends with an error."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if ran.returncode or ran.stderr:
        raise AssertionError(f"{command}: {ran.returncode}: {ran.stderr}{ran.stdout}")
    return ran.stdout


# ---- recording


class Message:
    """An element message, as gst-launch-1.0 -m prints it."""

    LINE = re.compile(r'Got message .* from element "(.*)" \(element\): ([\w-]+), (.*)')
    FIELD = re.compile(r"([\w-]+)=\((\w+)\)([^,;]*)")
    TIMES = ("running-time", "duration", "start")

    def __init__(self, sender, name, fields):
        values = {field: value for field, _, value in self.FIELD.findall(fields)}
        self.sender, self.name, self.event = sender, name, values.get("event")
        self.times = {t: int(values[t]) / SECOND for t in self.TIMES if t in values}


def launch(line):
    """Plays to the end. Returns the element messages."""
    # Warnings of elements go to stderr; so may what ffmpeg's libraries say.
    ran = subprocess.run(
        ["gst-launch-1.0", "-m", *shlex.split(line)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    if ran.returncode or "ERROR" in ran.stderr:
        raise AssertionError(f"{line}: {ran.stdout[-2000:]}{ran.stderr}")
    found = map(Message.LINE.match, ran.stdout.splitlines())
    return [Message(*match.groups()) for match in found if match]


# ---- reading


class Clip:
    """A file. frames: pairs of time in the file and checksum of the picture."""

    def __init__(self, path):
        rows = run(
            *("ffmpeg", "-v", "error", "-i", path, "-map", "0:v"),
            *("-fps_mode", "passthrough", "-enc_time_base", "1:1000"),
            *("-f", "framemd5", "-"),
        )
        self.frames = [
            (int(row[2]) / 1000, row[5])
            for row in (line.split(",") for line in rows.splitlines())
            if not row[0].startswith("#")
        ]

        probed = run(
            *("ffprobe", "-v", "error", "-select_streams", "v", "-of", "json"),
            *("-show_entries", "packet=flags:format=duration"),
            *("-read_intervals", "%+#1", path),
        )
        probed = json.loads(probed)
        self.starts_with_key_frame = probed["packets"][0]["flags"].startswith("K")
        # As the file says it, if it does.
        self.duration = float(probed["format"].get("duration", "nan"))


def discover(paths):
    """Fails if GStreamer's discoverer finds fault with any of the files."""
    if paths and shutil.which("gst-discoverer-1.0"):
        found = run("gst-discoverer-1.0", *map(os.path.abspath, paths))
        assert "error" not in found, found
        assert found.count("video #") == len(paths), found


def list_clips(directory):
    """Paths, in the order of their names."""
    return sorted(os.path.join(directory, name) for name in os.listdir(directory))


# ---- a detector, and many recorders behind it


class Recorder:
    """A gate and its files, at one distance of key frames in seconds."""

    def __init__(self, directory, key_interval, kind, roll):
        self.name = f"{kind}-{key_interval}"
        self.key_interval, self.kind, self.roll = key_interval, kind, roll
        self.directory = os.path.join(directory, self.name)
        os.mkdir(self.directory)

    def line(self):
        """From encoded frames on."""
        return (
            f"queue ! vaelstmgate name={self.name} pre-roll={self.roll * SECOND}"
            f" post-roll={self.roll * SECOND} ! queue ! splitmuxsink"
            f" async-handling=true max-size-time=0 {ROBUST[self.kind]}"
            f" location={self.directory}/%03d.{self.kind}"
        )


class Story:
    """A video that is watched once and recorded in every way at the same time:
    as mp4 and mkv, with key frames every 1, 2 and 10 s, and B-frames. Beside
    the gates, everything is recorded, to compare with."""

    RATE = 10  # frames/s
    HOLD = 1  # how long it must be quiet to end an event

    def __init__(self, directory, source, detector, roll):
        """source: launch line up to raw video at RATE. detector: properties of
        vaelstmdetect. roll: before and after."""
        self.directory, self.recorders = directory, []
        branches = [self._encoder(interval, roll) for interval in (1, 2, 10)]
        self.messages = launch(
            f"{source} ! vaelstmdetect {detector}"
            f" hold={self.HOLD * SECOND} ! tee name=raw {' '.join(branches)}"
        )

    def _encoder(self, key_interval, roll):
        recorders = [
            Recorder(self.directory, key_interval, kind, roll) for kind in ROBUST
        ]
        self.recorders += recorders
        branches = [f"encoded-{key_interval}. ! {r.line()}" for r in recorders]
        return (
            f"raw. ! queue ! videoconvert ! video/x-raw,format=I420 ! x264enc"
            f" speed-preset=ultrafast bframes=2 b-adapt=false"
            f" key-int-max={key_interval * self.RATE} ! h264parse !"
            f" tee name=encoded-{key_interval} ! queue ! matroskamux !"
            f" filesink async=false location={self._everything(key_interval)}"
            f" {' '.join(branches)}"
        )

    def _everything(self, key_interval):
        return os.path.join(self.directory, f"everything-{key_interval}.mkv")

    @functools.lru_cache
    def everything(self, key_interval):
        return Clip(self._everything(key_interval))

    def of(self, sender, event):
        """Times of a sender's messages."""
        return [
            message.times
            for message in self.messages
            if message.sender == sender and message.event == event
        ]

    def events(self):
        """The detector's: pairs of first and last time."""
        ends = self.of("vaelstmdetect0", "end")
        return [(e["running-time"] - e["duration"], e["running-time"]) for e in ends]


class StoryTest(unittest.TestCase):
    """What must hold of every story's files."""

    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def check(self, story):
        self.assertGreater(len(story.events()), 0)
        for recorder in story.recorders:
            with self.subTest(recorder.name):
                self.check_recorder(story, recorder)

    def check_recorder(self, story, recorder):
        everything = story.everything(recorder.key_interval)
        opened = story.of(recorder.name, "open")
        closed = story.of(recorder.name, "close")
        paths = list_clips(recorder.directory)
        self.assertEqual((len(opened), len(closed)), (len(paths), len(paths)))

        discover(paths)
        recorded = []
        for path, close in zip(paths, closed):
            clip = Clip(path)
            self.check_file(clip, close["duration"], story.RATE)
            recorded.append(self.match(clip, everything, close["start"], story.RATE))
        self.check_spans(story, recorder, recorded, len(everything.frames))

    def check_file(self, clip, duration, rate):
        self.assertTrue(clip.starts_with_key_frame)
        self.assertAlmostEqual(len(clip.frames) / rate, duration, delta=1 / rate)
        self.assertAlmostEqual(clip.duration, duration, delta=1 / rate)

    def match(self, clip, everything, start, rate):
        """The frames of everything that the clip has, as a range; each is there
        once, and in its place."""
        first = round((start - everything.frames[0][0]) * rate)
        begin = clip.frames[0][0]
        places = [first + round((time - begin) * rate) for time, _ in clip.frames]
        self.assertEqual(places, list(range(first, first + len(places))))
        for place, (_, checksum) in zip(places, clip.frames):
            self.assertEqual(checksum, everything.frames[place][1], f"frame {place}")
        return range(first, first + len(places))

    def check_spans(self, story, recorder, recorded, total):
        """Every frame that is wanted is in one file; every file is wanted, and
        starts no more than a distance of key frames too early."""
        roll = recorder.roll * story.RATE
        wanted = [
            range(
                max(0, round(first * story.RATE) - roll),
                min(total, round(last * story.RATE) + roll + 1),
            )
            for first, last in story.events()
        ]
        for frame in set().union(*wanted):
            self.assertEqual(sum(frame in clip for clip in recorded), 1, f"{frame}")
        for clip in recorded:
            inside = [w for w in wanted if w.start < clip.stop and clip.start < w.stop]
            self.assertTrue(inside, f"{clip} has no event of {wanted}")
            early, late = inside[0].start - clip.start, clip.stop - inside[-1].stop
            self.assertLess(early, recorder.key_interval * story.RATE + 3)
            self.assertLess(late, story.HOLD * story.RATE + 4)


def main():
    if MISSING:
        print(f"skipped: no {' '.join(MISSING)}")
        raise SystemExit(77)
    unittest.main()
