/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <check.h>

#include "framesize.h"

/* Of the video; of the model, by default and where training is quick. */
static const unsigned sizes[][6] = {{360, 240, 384, 256, 192, 128},
    {160, 120, 160, 128, 160, 128}, {1920, 1080, 448, 256, 288, 160},
    {640, 480, 352, 256, 224, 160}, {640, 360, 448, 256, 224, 128},
    {320, 200, 320, 192, 192, 128}, {1080, 1920, 256, 448, 160, 288},
    {4000, 200, 512, 192, 288, 128}, {128, 128, 128, 128, 128, 128},
    {64, 48, 160, 128, 160, 128}, {1, 1, 128, 128, 128, 128},
    {1, 7680, 128, 512, 128, 288}};

START_TEST (test_frame_sizes)
{
  const unsigned *size = sizes[_i];
  unsigned width, height;

  vl_default_frame_size (size[0], size[1], &width, &height);
  ck_assert_uint_eq (width, size[2]);
  ck_assert_uint_eq (height, size[3]);
  vl_quick_frame_size (size[0], size[1], &width, &height);
  ck_assert_uint_eq (width, size[4]);
  ck_assert_uint_eq (height, size[5]);
}
END_TEST

/* Video, shape of its pixels, width in square ones. */
static const int shapes[][5] = {{720, 576, 16, 15, 768}, {720, 576, 0, 0, 720},
    {1, 1, 1, 100, 1}, {1440, 1080, 4, 3, 1920}};

START_TEST (test_square_pixels)
{
  const int *shape = shapes[_i];
  unsigned width, height;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, shape[0], shape[1]);
  info.par_n = shape[2];
  info.par_d = shape[3];
  vl_square_frame_size (&info, &width, &height);
  ck_assert_int_eq (width, shape[4]);
  ck_assert_int_eq (height, shape[1]);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("framesize");
  TCase *tcase = tcase_create ("framesize");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_loop_test (tcase, test_frame_sizes, 0, G_N_ELEMENTS (sizes));
  tcase_add_loop_test (tcase, test_square_pixels, 0, G_N_ELEMENTS (shapes));
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
