/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a gate holds, and what it decides about streams nobody has chosen. */

#include <check.h>
#include <gst/gst.h>

#include "gstvaelstmgateplan.h"

/* ---- the ring ---- */

/* At `time`, a key frame or not; 10 bytes. */
static GstVaeLstmGateItem
make_item (GstClockTimeDiff time, gboolean key)
{
  return (GstVaeLstmGateItem){
      .object = GST_MINI_OBJECT (gst_buffer_new ()),
      .is_buffer = TRUE,
      .key = key,
      .time = time,
      .end = time + 1,
      .order = time,
      .size = 10,
  };
}

static void
push (GstVaeLstmGateRing *ring, GstClockTimeDiff time, gboolean key)
{
  GstVaeLstmGateItem item = make_item (time, key);

  gst_vae_lstm_gate_ring_push (ring, &item);
}

static void
push_event (GstVaeLstmGateRing *ring)
{
  GstVaeLstmGateItem item = {
      .object = GST_MINI_OBJECT (gst_event_new_reconfigure ())};

  gst_vae_lstm_gate_ring_push (ring, &item);
}

START_TEST (test_ring_keeps_order_and_counts)
{
  GstVaeLstmGateRing *ring = gst_vae_lstm_gate_ring_new ();

  for (gint i = 0; i < 1000; i++) {
    push (ring, i, TRUE);
    if (i >= 300) {
      GstVaeLstmGateItem item = gst_vae_lstm_gate_ring_pop (ring);

      ck_assert_int_eq (item.time, i - 300);
      gst_mini_object_unref (item.object);
    }
  }
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_length (ring), 300);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_bytes (ring), 3000);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_peek (ring, 299)->time, 999);
  ck_assert_ptr_null (gst_vae_lstm_gate_ring_peek (ring, 300));
  gst_vae_lstm_gate_ring_free (ring);
}
END_TEST

START_TEST (test_ring_drops_its_references)
{
  GstVaeLstmGateRing *ring = gst_vae_lstm_gate_ring_new ();
  GstVaeLstmGateItem item = make_item (0, TRUE);
  GstMiniObject *object = gst_mini_object_ref (item.object);

  gst_vae_lstm_gate_ring_push (ring, &item);
  ck_assert_int_eq (GST_MINI_OBJECT_REFCOUNT_VALUE (object), 2);
  gst_vae_lstm_gate_ring_free (ring);
  ck_assert_int_eq (GST_MINI_OBJECT_REFCOUNT_VALUE (object), 1);
  gst_mini_object_unref (object);
}
END_TEST

START_TEST (test_ring_finds_keys)
{
  GstVaeLstmGateRing *ring = gst_vae_lstm_gate_ring_new ();

  ck_assert_uint_eq (gst_vae_lstm_gate_ring_find_key (ring, 0), 0);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_find_key_before (ring, 99), -1);
  push_event (ring);
  push (ring, 8, FALSE);
  push (ring, 9, TRUE);
  push (ring, 10, FALSE);
  push_event (ring);
  push (ring, 11, TRUE);
  push (ring, 12, FALSE);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_find_key (ring, 0), 2);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_find_key (ring, 2), 2);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_find_key (ring, 3), 5);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_find_key (ring, 6), 7);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_find_key_before (ring, 8), -1);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_find_key_before (ring, 9), 2);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_find_key_before (ring, 10), 2);
  ck_assert_int_eq (gst_vae_lstm_gate_ring_find_key_before (ring, 11), 5);
  gst_vae_lstm_gate_ring_free (ring);
}
END_TEST

START_TEST (test_ring_counts_in_decoding_order)
{
  static const gint times[] = {0, 3, 1, 2, 6, 4, 5};
  GstVaeLstmGateRing *ring = gst_vae_lstm_gate_ring_new ();

  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 5), 0);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    push (ring, times[i], i == 0);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, -1), 0);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 0), 1);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 1), 3);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 3), 4);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 4), 6);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_count_until (ring, 6), 7);
  gst_vae_lstm_gate_ring_free (ring);
}
END_TEST

/* ---- anomalies ---- */

static void
add (GstVaeLstmGateAnomalies *anomalies, gint start, gint last, gboolean lasts)
{
  GstVaeLstmGateAnomaly anomaly = {start, last, lasts, 1};

  gst_vae_lstm_gate_anomalies_add (anomalies, &anomaly, 10);
}

START_TEST (test_anomalies_join_within_post_roll)
{
  GstVaeLstmGateAnomalies *anomalies = gst_vae_lstm_gate_anomalies_new ();
  GstVaeLstmGateAnomaly *anomaly;

  add (anomalies, 100, 105, FALSE);
  add (anomalies, 115, 120, FALSE);
  ck_assert_uint_eq (anomalies->len, 1);
  add (anomalies, 95, 96, FALSE);
  ck_assert_uint_eq (anomalies->len, 1);
  anomaly = gst_vae_lstm_gate_anomalies_get (anomalies, 0);
  ck_assert_int_eq (anomaly->start, 95);
  ck_assert_int_eq (anomaly->last, 120);
  ck_assert_int_eq (gst_vae_lstm_gate_anomaly_until (anomaly, 10), 130);

  add (anomalies, 131, 131, TRUE);
  ck_assert_uint_eq (anomalies->len, 2);
  add (anomalies, 1000, 1000, FALSE);
  ck_assert_uint_eq (anomalies->len, 2);
  gst_vae_lstm_gate_anomalies_end (anomalies, GST_VAE_LSTM_GATE_DETECTOR, 999);
  anomaly = gst_vae_lstm_gate_anomalies_get (anomalies, 1);
  ck_assert_int_eq (gst_vae_lstm_gate_anomaly_until (anomaly, 10), 1010);
  gst_vae_lstm_gate_anomalies_merge (anomalies);
  ck_assert_uint_eq (anomalies->len, 1);
  ck_assert_int_eq (gst_vae_lstm_gate_anomalies_get (anomalies, 0)->start, 95);
  g_array_unref (anomalies);
}
END_TEST

START_TEST (test_anomalies_of_any_time)
{
  static const GstClockTimeDiff extremes[] = {
      -G_MAXINT64, -1, 0, 1, G_MAXINT64};

  for (guint i = 0; i < G_N_ELEMENTS (extremes); i++) {
    GstVaeLstmGateAnomaly anomaly = {extremes[i], extremes[i], FALSE, 0};

    ck_assert_int_ge (
        gst_vae_lstm_gate_anomaly_until (&anomaly, G_MAXINT64), extremes[i]);
    ck_assert_int_eq (
        gst_vae_lstm_gate_anomaly_until (&anomaly, 0), extremes[i]);
  }
}
END_TEST

/* ---- the plan, on random streams ---- */

#define N 600 /* frames, shown at 0, 1, 2 s ... */
#define MAX_GROUP 60

typedef struct {
  gboolean key[N], anomalous[N];
  gint segment[N]; /* that the frame was sent in; 0: in none */
  gint order[N];   /* numbers of the frames, as they come */
  gint first_key;
  gint longest_group;
  guint n_segments;
} Stream;

/* Groups of pictures with up to 2 frames that come after one shown later. */
static void
make_stream (Stream *stream, GRand *random)
{
  gint n_reordered = g_rand_int_range (random, 0, 3);
  gint start = g_rand_int_range (random, 0, 5), group, next = 0;

  *stream = (Stream){.first_key = start};
  while (next < start) { /* the rest of a group */
    stream->order[next] = next;
    next++;
  }
  while (next < N) {
    group = g_rand_int_range (random, 1, MAX_GROUP);
    group = MIN (group, N - next);
    stream->longest_group = MAX (stream->longest_group, group);
    stream->key[next] = TRUE;
    for (gint i = 0; i < group; i++)
      stream->order[next + i] = next + i;
    for (gint i = 1; i + n_reordered < group; i += n_reordered + 1) {
      stream->order[next + i] = next + i + n_reordered;
      for (gint b = 0; b < n_reordered; b++)
        stream->order[next + i + 1 + b] = next + i + b;
    }
    next += group;
  }
  for (gint n = g_rand_int_range (random, 0, 200); n < N;
       n += g_rand_int_range (random, 1, 250))
    for (gint i = g_rand_int_range (random, 1, 30); i > 0 && n < N; i--)
      stream->anomalous[n++] = TRUE;
}

static gint
pop_number (GstVaeLstmGatePlan *plan)
{
  GstVaeLstmGateItem item = gst_vae_lstm_gate_ring_pop (plan->ring);

  gst_mini_object_unref (item.object);
  return item.time / GST_SECOND;
}

/* Does what the plan says until it wants more. */
static void
run (Stream *stream, GstVaeLstmGatePlan *plan)
{
  GstVaeLstmGateStep step;

  while ((step = gst_vae_lstm_gate_plan_next (plan)).action !=
         GST_VAE_LSTM_GATE_WAIT) {
    switch (step.action) {
    case GST_VAE_LSTM_GATE_SKIP:
      ck_assert (!plan->open && step.n > 0);
      while (step.n--)
        pop_number (plan);
      break;
    case GST_VAE_LSTM_GATE_OPEN:
      ck_assert (!plan->open);
      ck_assert (gst_vae_lstm_gate_ring_peek (plan->ring, 0)->key);
      gst_vae_lstm_gate_plan_open (plan);
      stream->n_segments++;
      break;
    case GST_VAE_LSTM_GATE_SEND:
      ck_assert (plan->open && step.n > 0);
      while (step.n--)
        stream->segment[pop_number (plan)] = stream->n_segments;
      break;
    default:
      ck_assert (plan->open && step.reason);
      gst_vae_lstm_gate_plan_close (plan);
      break;
    }
  }
}

/* What a detector says of frame n. */
static void
tell (const Stream *stream, GstVaeLstmGatePlan *plan, gint n)
{
  GstVaeLstmGateAnomaly anomaly = {n * GST_SECOND, n * GST_SECOND, 0, 0};

  if (n >= 0 && stream->anomalous[n])
    gst_vae_lstm_gate_anomalies_add (
        plan->anomalies, &anomaly, plan->limits.post_roll);
}

/* lag: frames by which the detector is late; 0 where it is upstream. */
static void
feed (Stream *stream, GstVaeLstmGatePlan *plan, gint lag)
{
  for (gint i = 0; i < N; i++) {
    gint n = stream->order[i];
    GstVaeLstmGateItem item = make_item (n * GST_SECOND, stream->key[n]);

    item.order = (i - 3) * (gint64)GST_SECOND;
    tell (stream, plan, lag > 0 ? i - lag : n);
    if (lag > 0)
      plan->told = (i - lag) * (gint64)GST_SECOND;
    gst_vae_lstm_gate_plan_push (plan, &item);
    run (stream, plan);
  }
  for (gint n = N - lag; n < N; n++)
    tell (stream, plan, n);
  plan->ended = "eos";
  run (stream, plan);
  ck_assert (!plan->open);
  ck_assert_uint_eq (gst_vae_lstm_gate_ring_length (plan->ring), 0);
}

static gboolean
has_anomaly (const Stream *stream, gint from, gint to)
{
  for (gint n = MAX (0, from); n <= MIN (N - 1, to); n++)
    if (stream->anomalous[n])
      return TRUE;
  return FALSE;
}

/* Wanted frames are there; others only to the next key frame. */
static void
check_frames (const Stream *stream, gint pre_roll, gint post_roll)
{
  gint slack = stream->longest_group + 5;

  for (gint n = stream->first_key; n < N; n++) {
    if (has_anomaly (stream, n - post_roll, n + pre_roll))
      ck_assert_msg (stream->segment[n] > 0, "%d is missing", n);
    if (!has_anomaly (stream, n - post_roll - slack, n + pre_roll + slack))
      ck_assert_msg (stream->segment[n] == 0, "%d is not wanted", n);
  }
}

/* Segments are whole, and as long as they may be. */
static void
check_segments (const Stream *stream, gint max_duration)
{
  gint start = 0;

  for (gint n = 1; n < N; n++) {
    if (stream->segment[n] == stream->segment[n - 1])
      continue;
    ck_assert_int_ge (stream->segment[n], 0);
    if (stream->segment[n] > 0) {
      ck_assert (stream->key[n]);
      start = n;
    }
    if (stream->segment[n - 1] > 0 && max_duration > 0)
      ck_assert_int_le (n - start, max_duration + stream->longest_group + 1);
  }
}

START_TEST (test_random_streams)
{
  GRand *random = g_rand_new_with_seed (_i);
  gint pre_roll = g_rand_int_range (random, 0, 50);
  gint post_roll = g_rand_int_range (random, 0, 50);
  gint max_duration =
      g_rand_boolean (random) ? 0 : g_rand_int_range (random, 1, 100);
  gint lag = g_rand_boolean (random) ? 0 : g_rand_int_range (random, 1, 150);
  GstVaeLstmGatePlan plan;
  Stream stream;

  make_stream (&stream, random);
  gst_vae_lstm_gate_plan_init (&plan);
  plan.limits = (GstVaeLstmGateLimits){pre_roll * GST_SECOND,
      post_roll * GST_SECOND, max_duration * GST_SECOND, 0};
  feed (&stream, &plan, lag);
  check_frames (&stream, pre_roll, post_roll);
  check_segments (&stream, max_duration);
  gst_vae_lstm_gate_plan_clear (&plan);
  g_rand_free (random);
}
END_TEST

/* Never more than what fits, whatever comes. */
START_TEST (test_random_streams_in_little_space)
{
  GRand *random = g_rand_new_with_seed (_i);
  GstVaeLstmGatePlan plan;
  Stream stream;

  make_stream (&stream, random);
  gst_vae_lstm_gate_plan_init (&plan);
  plan.limits = (GstVaeLstmGateLimits){40 * GST_SECOND, 5 * GST_SECOND, 0, 250};
  for (gint n = 0; n < N; n++) {
    GstVaeLstmGateItem item = make_item (n * GST_SECOND, stream.key[n]);
    GstVaeLstmGateAnomaly anomaly = {item.time, item.time, FALSE, 0};

    if (stream.anomalous[n])
      gst_vae_lstm_gate_anomalies_add (
          plan.anomalies, &anomaly, plan.limits.post_roll);
    gst_vae_lstm_gate_plan_push (&plan, &item);
    run (&stream, &plan);
    ck_assert_uint_le (gst_vae_lstm_gate_ring_bytes (plan.ring), 250);
  }
  gst_vae_lstm_gate_plan_clear (&plan);
  g_rand_free (random);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("gate-plan");
  TCase *tcase = tcase_create ("gate-plan");
  SRunner *runner = srunner_create (suite);
  int failed;

  gst_init (&argc, &argv);
  tcase_add_test (tcase, test_ring_keeps_order_and_counts);
  tcase_add_test (tcase, test_ring_drops_its_references);
  tcase_add_test (tcase, test_ring_finds_keys);
  tcase_add_test (tcase, test_ring_counts_in_decoding_order);
  tcase_add_test (tcase, test_anomalies_join_within_post_roll);
  tcase_add_test (tcase, test_anomalies_of_any_time);
  tcase_add_loop_test (tcase, test_random_streams, 0, 1000);
  tcase_add_loop_test (tcase, test_random_streams_in_little_space, 0, 30);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
