/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whole pipelines with the detector in them. To the tiny model every test
 * pattern is an anomaly, so that each run has an event from its first frames to
 * its end. */

#pragma once

#include <gst/check/gstcheck.h>

/* The tiny model's file, from running_test_main() on. */
extern gchar *running_model;

/* A test program: makes the model, runs the tests, returns the exit status. */
int running_test_main (
    int argc, char **argv, const gchar *name, void (*add_tests) (TCase *));

/* A launch line in which %s stands for the detector with its model, named
 * `detect`. */
GstElement *running_launch (const gchar *format);

/* The next message of that type. An error that was not asked for fails the
 * test, and so does half a minute without a message. */
GstMessage *running_wait_for (GstElement *pipeline, GstMessageType type);

/* Stops the pipeline and gives it up. */
void running_stop (GstElement *pipeline);

void running_play_to_eos (GstElement *pipeline);

/* That went through the detector, since the start. */
guint64 running_frames_seen (GstElement *pipeline);

/* A static pad of a named element. */
GstPad *running_get_pad (
    GstElement *pipeline, const gchar *element, const gchar *pad);

/* Calls back for each buffer that arrives at the element named `sink`. */
void running_probe_sink (
    GstElement *pipeline, GstPadProbeCallback callback, gpointer user_data);

/* Advances the counter, atomically, with each of them. */
void running_count_at_sink (GstElement *pipeline, gint *n);

/* Waits until the counter, which others advance, is at least n; fails the test
 * after half a minute. */
void running_wait_until (const gint *atomic_counter, gint n);
