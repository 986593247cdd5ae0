#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records what is anomalous: a file for each event, named by the wall clock.

usage: record.py [--mp4] [--directory DIRECTORY] PIPELINE

PIPELINE is what gst-launch-1.0 takes, up to H.264 that has been through
vaelstmdetect:

  record.py v4l2src ! videoconvert ! vaelstmdetect model-file=room.vaelstm ! \\
    x264enc tune=zerolatency key-int-max=30 ! h264parse

Prints the name of each file when it is complete; Ctrl-C ends the last one
properly. Were the process killed, a file would still play, but for its last
seconds.

Needs python3-gi and gir1.2-gstreamer-1.0; nothing of vaelstm's but the plugin.
"""

import argparse
import datetime
import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

# A killed process leaves files that play: Matroska as it is, mp4 in fragments
# that are made one whole at the end; no more waits in filesink for its buffer to
# be full. async-handling: without it, splitmuxsink sometimes never reports the
# end of a source that is not live.
RECORDER = (
    " ! vaelstmgate ! queue ! splitmuxsink name=record"
    ' async-handling=true max-size-time=0 sink="filesink buffer-mode=unbuffered"'
)
MUXERS = {
    "mkv": "matroskamux offset-to-zero=true",
    "mp4": "mp4mux fragment-duration=1000 fragment-mode=first-moov-then-finalise",
}


def wall_clock(pipeline, running_time):
    """When the pipeline's clock showed that running time, as a UTC datetime: for
    live sources, when the frame was taken."""
    clock = pipeline.get_clock() or Gst.SystemClock.obtain()
    age = clock.get_time() - pipeline.get_base_time() - running_time
    now = datetime.datetime.now(datetime.timezone.utc)
    return now - datetime.timedelta(microseconds=age // 1000)


def choose_location(splitmux, index, first, pipeline, directory, extension):
    """Called for each file before its first frame goes out, on a thread of the
    pipeline's: be quick here. There is no frame when the stream ends without a
    single event; vaelstmgate sees to that."""
    if not first.get_buffer():
        return None
    running_time = first.get_segment().to_running_time(
        Gst.Format.TIME, first.get_buffer().pts
    )
    time = wall_clock(pipeline, running_time)
    name = f"{time:%Y%m%dT%H%M%S}.{time.microsecond // 1000:03}Z.{extension}"
    return os.path.join(directory, name)


def on_message(bus, message, loop, errors):
    """Called on the main thread."""
    if message.type == Gst.MessageType.ELEMENT:
        structure = message.get_structure()
        location = structure.get_value("location")
        closed = structure.get_name() == "splitmuxsink-fragment-closed"
        if closed and location != os.devnull:
            print(location, flush=True)
    elif message.type == Gst.MessageType.ERROR:
        errors.append(message.parse_error()[0])
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


def play(description, directory, extension):
    """Plays until the end, or Ctrl-C. Returns the errors that came before."""
    pipeline = Gst.parse_launch(
        f'{description}{RECORDER} muxer="{MUXERS[extension]}"'
    )
    pipeline.get_by_name("record").connect(
        "format-location-full", choose_location, pipeline, directory, extension
    )

    loop = GLib.MainLoop()
    errors = []
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop, errors)

    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pipeline.send_event(Gst.Event.new_eos())
        loop.run()
    finally:
        pipeline.set_state(Gst.State.NULL)
    return errors


def main():
    about, _, rest = __doc__.partition("usage: ")
    usage, _, details = rest.partition("\n")
    parser = argparse.ArgumentParser(
        usage=usage,
        description=about + details.strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mp4", action="store_true", help="mp4 instead of Matroska")
    parser.add_argument("--directory", default=".", help="where files go (.)")
    parser.add_argument("pipeline", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.pipeline:
        parser.error("no PIPELINE")

    Gst.init(None)
    extension = "mp4" if arguments.mp4 else "mkv"
    try:
        errors = play(" ".join(arguments.pipeline), arguments.directory, extension)
    except GLib.Error as error:
        errors = [error]
    for error in errors:
        print(f"record.py: {error.message}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
