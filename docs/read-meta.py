#!/usr/bin/env python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what vaelstmdetect says: a line for each frame, and for each message.

usage: read-meta.py PIPELINE

PIPELINE is what gst-launch-1.0 takes, without a sink at its end. Frames may
arrive there raw or encoded:

  read-meta.py v4l2src ! vaelstmdetect model-file=room.vaelstm
  read-meta.py filesrc location=today.mp4 ! decodebin ! \\
    vaelstmdetect model-file=room.vaelstm ! x264enc ! h264parse

Needs python3-gi and gir1.2-gstreamer-1.0; nothing of vaelstm's but the plugin.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

META = "VaeLstmAnomalyMeta"


def fields(structure):
    """A GstStructure as a dict. get_value() gives plain Python numbers, uint64
    included; structure["score"] works only where python3-gst-1.0 is installed.
    """
    names = map(structure.nth_field_name, range(structure.n_fields()))
    return {name: structure.get_value(name) for name in names}


def read_meta(buffer):
    """What a raw or encoded buffer says of its frame, as a dict; None if
    nothing. The dict may be kept. The meta may not: it ends with the buffer,
    which Python does not know, and reading it afterwards reads freed memory.
    """
    meta = buffer.get_custom_meta(META)
    return fields(meta.get_structure()) if meta else None


def seconds(time):
    """For people. A time that is not known is the largest uint64."""
    return "     -" if time == Gst.CLOCK_TIME_NONE else f"{time / Gst.SECOND:6.2f}"


def on_sample(sink):
    """Called for each buffer, on a thread of the pipeline's: be quick here."""
    sample = sink.emit("pull-sample")
    buffer = sample.get_buffer()
    # Timestamps may have moved on the way (x264enc adds 1000 hours), and the
    # segment with them.
    time = sample.get_segment().to_stream_time(Gst.Format.TIME, buffer.pts)
    said = read_meta(buffer)
    if said is None:
        print(f"{seconds(time)}  no meta")
    else:
        print(
            f"{seconds(time)}  {said['state']:10}"
            f"  score {said['score']:6.2f} of {said['threshold']:.2f}"
            f"  event {said['event-id'] or '-'}"
            f"  age {seconds(said['age'])}"
        )
    return Gst.FlowReturn.OK


def on_message(bus, message, loop, errors):
    """Called on the main thread."""
    if message.type == Gst.MessageType.ELEMENT:
        structure = message.get_structure()
        if structure.get_name() == "vaelstmdetect":
            said = fields(structure)
            print(
                f"{seconds(said['stream-time'])}  {said['event']} of event"
                f" {said['event-id']}, peak {said['peak-score']:.2f},"
                f" at {said['region']}"
            )
    elif message.type == Gst.MessageType.ERROR:
        errors.append(message.parse_error()[0])
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


def play(description):
    """Plays until the end. Returns the errors that came before."""
    # A pad probe would do as well, but must look at its info's type first:
    # get_buffer() where there is a buffer list, as payloaders push them, is a
    # critical.
    pipeline = Gst.parse_launch(
        f"{description} ! appsink name=read emit-signals=true sync=false"
    )
    pipeline.get_by_name("read").connect("new-sample", on_sample)

    loop = GLib.MainLoop()
    errors = []
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop, errors)

    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    finally:
        pipeline.set_state(Gst.State.NULL)
    return errors


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if arguments else 2

    Gst.init(None)
    try:
        errors = play(" ".join(arguments))
    except GLib.Error as error:
        errors = [error]
    for error in errors:
        print(f"read-meta.py: {error.message}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
