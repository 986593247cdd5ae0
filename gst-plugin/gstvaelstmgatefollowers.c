/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatefollowers.h"

#include <string.h>

#include "gstvaelstmgatefollower.h"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src_%u", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY);

void
gst_vae_lstm_gate_followers_install (GstElementClass *klass)
{
  gst_element_class_add_static_pad_template (klass, &sink_template);
  gst_element_class_add_static_pad_template (klass, &src_template);
}

void
gst_vae_lstm_gate_followers_init (
    GstVaeLstmGateFollowers *self, GstElement *gate)
{
  *self = (GstVaeLstmGateFollowers){
      .gate = gate,
      .followers = g_ptr_array_new (),
      .spans = gst_vae_lstm_gate_spans_new (),
  };
}

void
gst_vae_lstm_gate_followers_clear (GstVaeLstmGateFollowers *self)
{
  g_ptr_array_unref (self->followers);
  gst_vae_lstm_gate_spans_free (self->spans);
}

static GstPad *
make_pad (GstStaticPadTemplate *static_template, guint number)
{
  GstPadTemplate *template = gst_static_pad_template_get (static_template);
  gchar *name = g_strdup_printf (template->name_template, number);
  GstPad *pad = gst_pad_new_from_template (template, name);

  g_free (name);
  gst_object_unref (template);
  return pad;
}

static guint
choose_number (GstVaeLstmGateFollowers *self, const gchar *name)
{
  guint64 number;

  if (!name || !(name = strchr (name, '_')) ||
      !g_ascii_string_to_unsigned (
          name + 1, 10, 0, G_MAXUINT - 1, &number, NULL))
    number = self->n_pads;
  self->n_pads = MAX (self->n_pads, number + 1);
  return number;
}

static gboolean
has_pad_like (GstElement *element, GstPad *pad)
{
  GstPad *found = gst_element_get_static_pad (element, GST_PAD_NAME (pad));

  if (!found)
    return FALSE;
  gst_object_unref (found);
  return TRUE;
}

gboolean
gst_vae_lstm_gate_followers_add (GstVaeLstmGateFollowers *self,
    const gchar *name, GstPad **sink, GstPad **src)
{
  guint number;

  GST_OBJECT_LOCK (self->gate);
  number = choose_number (self, name);
  GST_OBJECT_UNLOCK (self->gate);
  *sink = make_pad (&sink_template, number);
  *src = make_pad (&src_template, number);
  if (has_pad_like (self->gate, *sink)) {
    gst_clear_object (sink);
    gst_clear_object (src);
    return FALSE;
  }

  GST_OBJECT_LOCK (self->gate);
  g_ptr_array_add (self->followers,
      gst_vae_lstm_gate_follower_new (*sink, *src, self->spans));
  GST_OBJECT_UNLOCK (self->gate);
  return TRUE;
}

/* NULL when the pad is not of theirs. Locked. */
static GstVaeLstmGateFollower *
find (GstVaeLstmGateFollowers *self, GstPad *pad)
{
  for (guint i = 0; i < self->followers->len; i++)
    if (gst_vae_lstm_gate_follower_get_other (self->followers->pdata[i], pad))
      return self->followers->pdata[i];
  return NULL;
}

void
gst_vae_lstm_gate_followers_remove (GstVaeLstmGateFollowers *self, GstPad *pad)
{
  GstVaeLstmGateFollower *follower;
  GstPad *other;

  GST_OBJECT_LOCK (self->gate);
  if ((follower = find (self, pad)))
    g_ptr_array_remove_fast (self->followers, follower);
  GST_OBJECT_UNLOCK (self->gate);
  if (!follower)
    return; /* another thread releases the other one */

  other = gst_vae_lstm_gate_follower_get_other (follower, pad);
  gst_vae_lstm_gate_follower_interrupt (follower);
  gst_pad_set_active (pad, FALSE);
  gst_pad_set_active (other, FALSE);
  gst_element_remove_pad (self->gate, pad);
  gst_element_remove_pad (self->gate, other);
  gst_vae_lstm_gate_follower_free (follower);
}

GstPad *
gst_vae_lstm_gate_followers_get_other (
    GstVaeLstmGateFollowers *self, GstPad *pad)
{
  GstVaeLstmGateFollower *follower;
  GstPad *other = NULL;

  GST_OBJECT_LOCK (self->gate);
  if ((follower = find (self, pad)))
    other =
        gst_object_ref (gst_vae_lstm_gate_follower_get_other (follower, pad));
  GST_OBJECT_UNLOCK (self->gate);
  return other;
}

void
gst_vae_lstm_gate_followers_interrupt (GstVaeLstmGateFollowers *self)
{
  GST_OBJECT_LOCK (self->gate);
  for (guint i = 0; i < self->followers->len; i++)
    gst_vae_lstm_gate_follower_interrupt (self->followers->pdata[i]);
  GST_OBJECT_UNLOCK (self->gate);
}

/* What they held is freed unlocked: nobody knows what that calls. */
void
gst_vae_lstm_gate_followers_reset (GstVaeLstmGateFollowers *self)
{
  GPtrArray *rings = g_ptr_array_new_with_free_func (
      (GDestroyNotify)gst_vae_lstm_gate_ring_free);

  GST_OBJECT_LOCK (self->gate);
  for (guint i = 0; i < self->followers->len; i++)
    g_ptr_array_add (
        rings, gst_vae_lstm_gate_follower_reset (self->followers->pdata[i]));
  GST_OBJECT_UNLOCK (self->gate);
  g_ptr_array_unref (rings);
}
