/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* To be preloaded: sets a program's wall clock back by an hour for as long as
 * there is a file CLOCK_BACK. */

#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  const char *file = getenv ("CLOCK_BACK");
  int status = (int)syscall (SYS_clock_gettime, clock, now);

  if (status == 0 && clock == CLOCK_REALTIME && file &&
      access (file, F_OK) == 0)
    now->tv_sec -= HOUR;
  return status;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  struct timespec precise;
  int status = clock_gettime (CLOCK_REALTIME, &precise);

  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return status;
}
