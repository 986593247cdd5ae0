/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The reservoir: bounded, even over time, in order, with clips where pictures
 * follow one another. */

#include <check.h>
#include <string.h>

#include "reservoir.h"

#define CHUNK VL_RESERVOIR_CHUNK
#define CAPACITY 4 /* chunks */

/* Pictures are their own number. */
static VlReservoir *
new_reservoir (guint seed)
{
  return vl_reservoir_new (
      sizeof (guint32), CAPACITY * CHUNK * sizeof (guint32), seed);
}

static void
append (VlReservoir *reservoir, guint32 first, guint n)
{
  for (guint32 i = first; i < first + n; i++) {
    guint8 *room = vl_reservoir_append (reservoir);
    if (room != NULL)
      memcpy (room, &i, sizeof i);
  }
}

static guint32
number_at (const VlFrameStore *store, guint clip, guint frame)
{
  guint32 number;

  memcpy (&number, vl_frame_store_get (store, clip, frame), sizeof number);
  return number;
}

static VlFrameStore *
move (VlReservoir *reservoir)
{
  VlFrameStore *store = vl_reservoir_move (reservoir, NULL, NULL);

  ck_assert_ptr_nonnull (store);
  return store;
}

START_TEST (test_all_is_kept_while_it_fits)
{
  g_autoptr (VlReservoir) reservoir = new_reservoir (1);
  const guint n = CAPACITY * CHUNK - 7;

  append (reservoir, 0, n);
  g_autoptr (VlFrameStore) store = move (reservoir);
  ck_assert_uint_eq (vl_frame_store_n_clips (store), 1);
  ck_assert_uint_eq (vl_frame_store_n_frames (store), n);
  for (guint i = 0; i < n; i++)
    ck_assert_uint_eq (number_at (store, 0, i), i);
}
END_TEST

START_TEST (test_nothing_makes_no_clip)
{
  g_autoptr (VlReservoir) reservoir = new_reservoir (1);
  g_autoptr (GArray) clips = vl_reservoir_clips (reservoir);
  g_autoptr (VlFrameStore) store = move (reservoir);

  ck_assert_uint_eq (clips->len, 0);
  ck_assert_uint_eq (vl_frame_store_n_clips (store), 0);
}
END_TEST

START_TEST (test_interruptions_make_clips)
{
  static const guint lengths[] = {30, 1, CHUNK + 11, CHUNK - 42, 3};
  g_autoptr (VlReservoir) reservoir = new_reservoir (1);
  guint32 next = 0;

  vl_reservoir_interrupt (reservoir);
  for (guint c = 0; c < G_N_ELEMENTS (lengths); c++) {
    append (reservoir, next, lengths[c]);
    vl_reservoir_interrupt (reservoir);
    vl_reservoir_interrupt (reservoir);
    next += lengths[c];
  }
  g_autoptr (GArray) clips = vl_reservoir_clips (reservoir);
  g_autoptr (VlFrameStore) store = move (reservoir);
  ck_assert_uint_eq (clips->len, G_N_ELEMENTS (lengths));
  ck_assert_uint_eq (vl_frame_store_n_clips (store), G_N_ELEMENTS (lengths));
  for (guint c = 0; c < G_N_ELEMENTS (lengths); c++) {
    ck_assert_uint_eq (g_array_index (clips, guint, c), lengths[c]);
    ck_assert_uint_eq (vl_frame_store_clip_length (store, c), lengths[c]);
  }
}
END_TEST

/* A clip's pictures follow one another, clips are in order, and none of them
 * follows the one before. */
static void
assert_in_order (const VlFrameStore *store)
{
  gint64 last = -2;

  for (guint c = 0; c < vl_frame_store_n_clips (store); c++)
    for (guint f = 0; f < vl_frame_store_clip_length (store, c); f++) {
      const gint64 number = number_at (store, c, f);
      if (f == 0)
        ck_assert_int_gt (number, last + 1);
      else
        ck_assert_int_eq (number, last + 1);
      last = number;
    }
}

START_TEST (test_long_streams_are_sampled)
{
  g_autoptr (VlReservoir) reservoir = new_reservoir (_i);

  append (reservoir, 0, 100 * CHUNK + 13);
  g_autoptr (GArray) clips = vl_reservoir_clips (reservoir);
  g_autoptr (VlFrameStore) store = move (reservoir);
  ck_assert_uint_le (vl_frame_store_n_frames (store), CAPACITY * CHUNK);
  ck_assert_uint_gt (vl_frame_store_n_frames (store), (CAPACITY - 1) * CHUNK);
  ck_assert_uint_eq (vl_frame_store_n_clips (store), clips->len);
  assert_in_order (store);
}
END_TEST

/* Each of 20 chunks is kept in a fifth of the trials: 100 +- 9 of 500. */
START_TEST (test_every_chunk_is_as_likely)
{
  enum { N_CHUNKS = 20, N_TRIALS = 500 };
  guint kept[N_CHUNKS] = {0};

  for (guint trial = 0; trial < N_TRIALS; trial++) {
    g_autoptr (VlReservoir) reservoir = new_reservoir (trial);
    append (reservoir, 0, N_CHUNKS * CHUNK);
    g_autoptr (VlFrameStore) store = move (reservoir);
    ck_assert_uint_eq (vl_frame_store_n_frames (store), CAPACITY * CHUNK);
    for (guint c = 0; c < vl_frame_store_n_clips (store); c++)
      for (guint f = 0; f < vl_frame_store_clip_length (store, c); f += CHUNK)
        kept[number_at (store, c, f) / CHUNK]++;
  }
  for (guint c = 0; c < N_CHUNKS; c++) {
    ck_assert_uint_gt (kept[c], 100 - 4 * 9);
    ck_assert_uint_lt (kept[c], 100 + 4 * 9);
  }
}
END_TEST

START_TEST (test_a_large_picture_still_has_room)
{
  g_autoptr (VlReservoir) reservoir = vl_reservoir_new (4, 1, 1);

  append (reservoir, 0, CHUNK);
  g_autoptr (VlFrameStore) store = move (reservoir);
  ck_assert_uint_eq (vl_frame_store_n_frames (store), CHUNK);
}
END_TEST

START_TEST (test_moving_can_be_cancelled)
{
  g_autoptr (VlReservoir) reservoir = new_reservoir (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  append (reservoir, 0, CHUNK);
  g_cancellable_cancel (cancellable);
  ck_assert_ptr_null (vl_reservoir_move (reservoir, cancellable, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}
END_TEST

/* Moving leaves it empty, and of use. */
START_TEST (test_moving_empties)
{
  g_autoptr (VlReservoir) reservoir = new_reservoir (1);

  append (reservoir, 0, CHUNK + 1);
  g_autoptr (VlFrameStore) first = move (reservoir);
  append (reservoir, 100, 3);
  g_autoptr (VlFrameStore) second = move (reservoir);
  ck_assert_uint_eq (vl_frame_store_n_frames (second), 3);
  ck_assert_uint_eq (number_at (second, 0, 0), 100);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("reservoir");
  TCase *tcase = tcase_create ("reservoir");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_test (tcase, test_all_is_kept_while_it_fits);
  tcase_add_test (tcase, test_nothing_makes_no_clip);
  tcase_add_test (tcase, test_interruptions_make_clips);
  tcase_add_loop_test (tcase, test_long_streams_are_sampled, 0, 20);
  tcase_add_test (tcase, test_every_chunk_is_as_likely);
  tcase_add_test (tcase, test_a_large_picture_still_has_room);
  tcase_add_test (tcase, test_moving_can_be_cancelled);
  tcase_add_test (tcase, test_moving_empties);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
