/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "ranking.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  double value;
  guint8 anomalous;
} Item;

/* Shares of both classes above a threshold that falls from the top. */
typedef struct {
  Item *items; /* by falling value */
  gsize n, next;
  gsize n_normal, n_anomalous;
  double false_share, true_share; /* of those before `next` */
  gsize seen_normal, seen_anomalous;
} Roc;

static int
compare_falling (const void *a, const void *b)
{
  const double x = ((const Item *)a)->value, y = ((const Item *)b)->value;

  return (x < y) - (x > y);
}

static void
roc_init (Roc *roc, const double *values, const guint8 *anomalous, gsize n)
{
  *roc = (Roc){.items = g_new (Item, n), .n = n};
  for (gsize i = 0; i < n; i++) {
    roc->items[i] = (Item){values[i], anomalous[i]};
    if (anomalous[i])
      roc->n_anomalous++;
    else
      roc->n_normal++;
  }
  if (n > 0)
    qsort (roc->items, n, sizeof *roc->items, compare_falling);
}

/* Moves past the next value and all that tie with it. */
static gboolean
roc_next (Roc *roc)
{
  const gsize first = roc->next;

  while (roc->next < roc->n &&
         roc->items[roc->next].value == roc->items[first].value) {
    if (roc->items[roc->next++].anomalous)
      roc->seen_anomalous++;
    else
      roc->seen_normal++;
  }
  roc->false_share = roc->seen_normal / (double)roc->n_normal;
  roc->true_share = roc->seen_anomalous / (double)roc->n_anomalous;
  return roc->next > first;
}

double
vl_auc (const double *values, const guint8 *anomalous, gsize n)
{
  Roc roc;
  double area = 0, last_false = 0, last_true = 0;

  roc_init (&roc, values, anomalous, n);
  if (roc.n_normal == 0 || roc.n_anomalous == 0)
    area = NAN;
  else
    while (roc_next (&roc)) {
      area += (roc.false_share - last_false) * (roc.true_share + last_true) / 2;
      last_false = roc.false_share;
      last_true = roc.true_share;
    }
  g_free (roc.items);
  return area;
}

double
vl_eer (const double *values, const guint8 *anomalous, gsize n)
{
  Roc roc;
  double rate = NAN, last_false = 0, last_gap = 1;

  roc_init (&roc, values, anomalous, n);
  if (roc.n_normal > 0 && roc.n_anomalous > 0)
    while (isnan (rate) && roc_next (&roc)) {
      /* misses minus false alarms: falls from 1 to -1 along the curve */
      const double gap = 1 - roc.true_share - roc.false_share;

      if (gap <= 0)
        rate = last_false +
               (roc.false_share - last_false) * last_gap / (last_gap - gap);
      last_false = roc.false_share;
      last_gap = gap;
    }
  g_free (roc.items);
  return rate;
}

void
vl_scale_to_unit (double *values, gsize n)
{
  double low = INFINITY, high = -INFINITY;

  for (gsize i = 0; i < n; i++) {
    low = MIN (low, values[i]);
    high = MAX (high, values[i]);
  }
  for (gsize i = 0; i < n; i++)
    values[i] = high > low ? (values[i] - low) / (high - low) : 0;
}
