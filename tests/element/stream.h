/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A vaelstmdetect in a harness, fed with the tiny model's scene. */

#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gstvaelstmmeta.h"

typedef struct {
  GstHarness *harness;
  GstElement *element; /* owned by the harness */
  GstBus *bus;
  guint n; /* frames made so far */
} Stream;

/* The tiny model's file, from stream_test_main() on. */
extern gchar *stream_model;

/* A test program: makes the model, runs the tests, returns the exit status. */
int stream_test_main (
    int argc, char **argv, const char *name, void (*add_tests) (TCase *));

/* RGB, the tiny model's size, 10 frames/s. */
extern const gchar *const stream_caps;

/* An element with a bus of its own, in NULL. Properties as g_object_set()
 * takes them. */
GstElement *stream_make_element (GstBus **bus, const gchar *property, ...);

/* An element with the tiny model, playing. */
void stream_open_default (Stream *stream);

/* Plays such an element. caps: NULL for stream_caps. */
void stream_open (
    Stream *stream, const gchar *caps, GstElement *element, GstBus *bus);
void stream_close (Stream *stream);

/* Frame n of the scene, at n / 10 s, for stream_caps. */
GstBuffer *stream_make_buffer (guint n, gboolean object);

/* Frame stream->n of it. */
GstBuffer *stream_next_buffer (Stream *stream, gboolean object);

/* Pushes a buffer and takes what comes out. */
GstBuffer *stream_pass (Stream *stream, GstBuffer *buffer);

/* Passes n frames of the scene. The meta of the last comes back; its state is
 * an interned string. */
GstVaeLstmAnomaly stream_run (Stream *stream, guint n, gboolean object);

/* What a buffer carries; it must carry it. Takes the buffer. */
GstVaeLstmAnomaly stream_take_meta (GstBuffer *buffer);

/* The next element message of that name, earlier messages being dropped; NULL
 * when there is none. event: the field's value, or NULL for any. */
GstStructure *stream_next_message (
    Stream *stream, const gchar *name, const gchar *event);

/* The same for downstream events. */
GstStructure *stream_next_event (
    Stream *stream, const gchar *name, const gchar *event);

/* Element messages of that name and event waiting on the bus, which is emptied.
 */
guint stream_count_messages (
    Stream *stream, const gchar *name, const gchar *event);

/* One field, of the `stats` property. */
guint64 stream_stat (Stream *stream, const gchar *name);

/* One field that must be there, of that type. Takes nothing. */
guint64 stream_get_time (const GstStructure *structure, const gchar *field);
double stream_get_double (const GstStructure *structure, const gchar *field);
guint stream_get_uint (const GstStructure *structure, const gchar *field);
