#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of the generated scene's visits: one for each.

usage: test-scene-recording.py VAELSTM VAELSTM-SCENE
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import clips  # noqa: E402

SCENE = sys.argv.pop()
VAELSTM = sys.argv.pop()
VISITS = ("60:90", "240:270")  # frames; a key frame is between them


def draw(path, *options):
    subprocess.run([SCENE, "--size", "160x128", "--out", path, *options], check=True)


def train(model, video):
    options = (
        "--size 128x128 --base --width 16 --latent 32 --steps 20 --lstm-steps 60"
        " --threads 1"
    )
    command = [VAELSTM, "train", "-o", model, *options.split(), video]
    subprocess.run(command, check=True)


class Scene(clips.StoryTest):
    @classmethod
    def setUpClass(cls):
        cls.scene = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scene.cleanup)
        normal, cls.visits, cls.model = (
            os.path.join(cls.scene.name, name)
            for name in ("normal.mkv", "visits.mkv", "room.vaelstm")
        )
        draw(normal, "--frames", "200", "--seed", "1", "--normal")
        visits = ",".join(VISITS)
        draw(cls.visits, "--frames", "320", "--seed", "2", "--visits", visits)
        train(cls.model, normal)

    def story(self, detector=""):
        return clips.Story(
            self.directory,
            f"filesrc location={self.visits} ! decodebin",
            f"model-file={self.model} {detector}",
            roll=1,
        )

    def test_each_visit_is_a_file(self):
        story = self.story()
        self.assertEqual(len(story.events()), len(VISITS))
        self.check(story)
        for recorder in story.recorders:
            self.assertEqual(len(clips.list_clips(recorder.directory)), len(VISITS))

    def test_threshold_out_of_reach(self):
        story = self.story("threshold=1e9")
        self.assertEqual(story.events(), [])
        for recorder in story.recorders:
            self.assertEqual(clips.list_clips(recorder.directory), [])


if __name__ == "__main__":
    clips.main()
