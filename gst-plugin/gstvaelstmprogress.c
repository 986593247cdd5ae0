/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmprogress.h"

#define INTERVAL (5 * G_USEC_PER_SEC)

/* What people are told a stage is. */
static const struct {
  const gchar *stage, *text;
} texts[] = {
    {"collecting", "Watching what is normal"},
    {"waiting", "Waiting for another camera's training to end"},
    {"vae", "Training the autoencoder"},
    {"latents", "Encoding what was seen"},
    {"lstm", "Training the predictor"},
    {"calibrate", "Measuring normal scores"},
};

static const gchar *
describe (const gchar *stage)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (texts[i].stage, stage))
      return texts[i].text;
  return stage;
}

static GstMessage *
make_message (GstElement *element, GstProgressType type, const gchar *stage,
    gint percent, gint eta)
{
  g_autofree gchar *text = eta < 0 ? g_strdup (describe (stage))
                                   : g_strdup_printf ("%s: %d %%, %d s left",
                                         describe (stage), percent, eta);
  GstMessage *message =
      gst_message_new_progress (GST_OBJECT (element), type, "learn", text);

  gst_structure_set (gst_message_writable_structure (message), "stage",
      G_TYPE_STRING, stage, "percent", G_TYPE_INT, percent, "eta", G_TYPE_INT,
      eta, NULL);
  return message;
}

/* Whether a message is due, and of which type. Takes note of it. */
static gboolean
take_turn (GstVaeLstmProgress *progress, GstElement *element,
    const gchar *stage, GstProgressType *type)
{
  gint64 now = g_get_monotonic_time ();

  if (GST_STATE (element) != GST_STATE_PLAYING)
    return FALSE;
  if (progress->open && g_strcmp0 (stage, progress->stage) == 0 &&
      now - progress->time < INTERVAL)
    return FALSE;

  *type = progress->open ? GST_PROGRESS_TYPE_CONTINUE : GST_PROGRESS_TYPE_START;
  *progress = (GstVaeLstmProgress){TRUE, now, stage};
  return TRUE;
}

void
gst_vae_lstm_progress_report (GstVaeLstmProgress *progress, GstElement *element,
    const gchar *stage, gint percent, gint eta)
{
  GstProgressType type;
  gboolean due;

  GST_OBJECT_LOCK (element);
  due = take_turn (progress, element, stage, &type);
  GST_OBJECT_UNLOCK (element);

  if (due)
    gst_element_post_message (
        element, make_message (element, type, stage, percent, eta));
}

void
gst_vae_lstm_progress_end (GstVaeLstmProgress *progress, GstElement *element,
    GstProgressType type, const gchar *text)
{
  gboolean open;

  GST_OBJECT_LOCK (element);
  open = progress->open;
  *progress = (GstVaeLstmProgress){0};
  GST_OBJECT_UNLOCK (element);

  if (open)
    gst_element_post_message (element,
        gst_message_new_progress (GST_OBJECT (element), type, "learn", text));
}
