/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "clip.h"

#include "schedule.h"

struct VlFlexibleSampler {
  unsigned width, height;
  VlPictureKind kind;
  GstVideoInfo info; /* of the last frame */
  VlSampler *sampler;
  guint8 *picture;
};

struct VlClip {
  char *where;
  VlMedia *media;
  VlSchedule schedule;
  VlFlexibleSampler *sampler;
  VlMediaFrame frame;
};

VlFlexibleSampler *
vl_flexible_sampler_new (unsigned width, unsigned height, VlPictureKind kind)
{
  VlFlexibleSampler *s = g_new0 (VlFlexibleSampler, 1);

  s->width = width;
  s->height = height;
  s->kind = kind;
  s->picture =
      g_malloc ((gsize)width * height * (kind == VL_PICTURE_RGB ? 3 : 1));
  return s;
}

void
vl_flexible_sampler_free (VlFlexibleSampler *s)
{
  g_clear_pointer (&s->sampler, vl_sampler_free);
  g_free (s->picture);
  g_free (s);
}

const guint8 *
vl_flexible_sampler_run (
    VlFlexibleSampler *s, const GstVideoFrame *frame, GError **error)
{
  if (s->sampler == NULL || !gst_video_info_is_equal (&s->info, &frame->info)) {
    g_clear_pointer (&s->sampler, vl_sampler_free);
    s->sampler =
        vl_sampler_new (&frame->info, s->width, s->height, s->kind, error);
    if (s->sampler == NULL)
      return NULL;
    s->info = frame->info;
  }
  vl_sampler_run (s->sampler, s->picture, frame);
  return s->picture;
}

VlClip *
vl_clip_open (const char *where, const VlInput *input, const VlRange *range,
    GCancellable *cancellable, GError **error)
{
  VlMedia *media = vl_media_open (
      where, range, input->rate_n, input->rate_d, cancellable, error);
  VlClip *clip;

  if (media == NULL)
    return NULL;
  clip = g_new0 (VlClip, 1);
  clip->where = g_strdup (where);
  clip->media = media;
  clip->sampler = vl_flexible_sampler_new (input->width, input->height,
      input->kind == VL_INPUT_RGB ? VL_PICTURE_RGB : VL_PICTURE_LUMA);
  vl_schedule_init (&clip->schedule, input->rate_n, input->rate_d);
  return clip;
}

void
vl_clip_free (VlClip *clip)
{
  vl_media_free (clip->media);
  vl_flexible_sampler_free (clip->sampler);
  g_free (clip->where);
  g_free (clip);
}

gboolean
vl_clip_next (VlClip *clip, VlMediaFrame *frame, gboolean *due, GError **error)
{
  if (!vl_media_next (clip->media, &clip->frame, error))
    return FALSE;
  *frame = clip->frame;
  *due = vl_schedule_is_due (&clip->schedule, frame->time);
  return TRUE;
}

const guint8 *
vl_clip_picture (VlClip *clip, GError **error)
{
  const guint8 *picture =
      vl_flexible_sampler_run (clip->sampler, clip->frame.video, error);

  if (picture == NULL)
    g_prefix_error (error, "%s: ", clip->where);
  return picture;
}

const guint8 *
vl_clip_next_picture (VlClip *clip, VlMediaFrame *frame, GError **error)
{
  gboolean due = FALSE;

  while (!due)
    if (!vl_clip_next (clip, frame, &due, error))
      return NULL;
  return vl_clip_picture (clip, error);
}
