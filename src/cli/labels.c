/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "labels.h"

#include "table.h"

#include <string.h>

#define HEADER "clip,first,last,label"

G_DEFINE_QUARK (vl_labels_error, vl_labels_error)

static void
clear_range (gpointer data)
{
  g_free (((VlLabelRange *)data)->clip);
}

static VlLabels *
labels_new (const char *path)
{
  VlLabels *labels = g_new0 (VlLabels, 1);

  labels->path = g_strdup (path);
  labels->ranges = g_array_new (FALSE, TRUE, sizeof (VlLabelRange));
  g_array_set_clear_func (labels->ranges, clear_range);
  return labels;
}

void
vl_labels_free (VlLabels *labels)
{
  g_array_unref (labels->ranges);
  g_free (labels->path);
  g_free (labels);
}

static gboolean
parse_label (const char *text, VlLabel *label)
{
  if (strcmp (text, "anomaly") == 0)
    *label = VL_LABEL_ANOMALY;
  else if (strcmp (text, "ignore") == 0)
    *label = VL_LABEL_IGNORE;
  else
    return FALSE;
  return TRUE;
}

/* What is wrong with a line, or NULL with the range filled in. */
static const char *
parse_range (const char *line, VlLabelRange *range)
{
  g_auto (GStrv) cells = vl_csv_split (line);

  if (cells == NULL || g_strv_length (cells) != 4)
    return "expected four cells, " HEADER;
  for (int i = 0; i < 4; i++)
    g_strstrip (cells[i]);
  if (!g_ascii_string_to_unsigned (
          cells[1], 10, 0, G_MAXINT64, &range->first, NULL) ||
      !g_ascii_string_to_unsigned (
          cells[2], 10, 0, G_MAXINT64, &range->last, NULL))
    return "expected frame numbers of 0 and above as first and last";
  if (range->first > range->last)
    return "first is above last, expected first <= last";
  if (!parse_label (cells[3], &range->label))
    return "unknown label, expected anomaly or ignore";
  if (cells[0][0] == '\0')
    return "expected a clip's file name";
  range->clip = g_strdup (cells[0]);
  return NULL;
}

/* Lines without their ends; an editor's byte order mark is no part of them. */
static char **
read_lines (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) failure = NULL;
  char **lines;

  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error (error, failure->domain, failure->code,
        "%s: cannot be read, expected a CSV file of " HEADER, path);
    return NULL;
  }
  lines = g_strsplit (
      g_str_has_prefix (text, "\xEF\xBB\xBF") ? text + 3 : text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_strchomp (*line);
  return lines;
}

VlLabels *
vl_labels_load (const char *path, GError **error)
{
  g_autoptr (VlLabels) labels = labels_new (path);
  g_auto (GStrv) lines = read_lines (path, error);

  if (lines == NULL)
    return NULL;
  if (lines[0] == NULL || strcmp (lines[0], HEADER) != 0) {
    g_set_error (error, VL_LABELS_ERROR, VL_LABELS_ERROR_FORMAT,
        "%s: line 1: expected the header " HEADER, path);
    return NULL;
  }
  for (guint i = 1; lines[i] != NULL; i++) {
    VlLabelRange range = {.line = i + 1};
    const char *problem = NULL;

    if (lines[i][0] == '\0')
      continue;
    problem = parse_range (lines[i], &range);
    if (problem != NULL) {
      g_set_error (error, VL_LABELS_ERROR, VL_LABELS_ERROR_FORMAT,
          "%s: line %u: %s", path, range.line, problem);
      return NULL;
    }
    g_array_append_val (labels->ranges, range);
  }
  return g_steal_pointer (&labels);
}

static const VlLabelRange *
range_at (const VlLabels *labels, guint i)
{
  return &g_array_index (labels->ranges, VlLabelRange, i);
}

gboolean
vl_labels_check_clips (
    const VlLabels *labels, char *const *clips, GError **error)
{
  for (guint i = 0; i < labels->ranges->len; i++) {
    const VlLabelRange *range = range_at (labels, i);
    guint matches = 0;

    for (guint c = 0; clips[c] != NULL; c++)
      matches += strcmp (clips[c], range->clip) == 0;
    if (matches != 1) {
      g_set_error (error, VL_LABELS_ERROR, VL_LABELS_ERROR_CLIP,
          "%s: line %u: %s names %u of the clips given, expected one",
          labels->path, range->line, range->clip, matches);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
vl_labels_check_length (
    const VlLabels *labels, const char *clip, guint64 n_frames, GError **error)
{
  for (guint i = 0; i < labels->ranges->len; i++) {
    const VlLabelRange *range = range_at (labels, i);

    if (strcmp (range->clip, clip) == 0 && range->last >= n_frames) {
      g_set_error (error, VL_LABELS_ERROR, VL_LABELS_ERROR_CLIP,
          "%s: line %u: frame %" G_GUINT64_FORMAT
          " is past the end of %s, expected at most %" G_GUINT64_FORMAT,
          labels->path, range->line, range->last, clip, n_frames - 1);
      return FALSE;
    }
  }
  return TRUE;
}

VlLabel
vl_labels_at (const VlLabels *labels, const char *clip, guint64 frame)
{
  VlLabel label = VL_LABEL_NORMAL;

  for (guint i = 0; i < labels->ranges->len; i++) {
    const VlLabelRange *range = range_at (labels, i);

    if (frame >= range->first && frame <= range->last &&
        strcmp (range->clip, clip) == 0)
      label = MAX (label, range->label);
  }
  return label;
}
