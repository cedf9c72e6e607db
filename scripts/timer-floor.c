/* What waking up costs on this machine: an empty loop of clock_nanosleep. For bench-sampler.mjs.
   timer-floor HERTZ SECONDS [batch] prints the share of one core that it took; with "batch" it waits for the running
   thread's turn to end (SCHED_BATCH), as the sampler does at 100 Hz and below. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  const double period = 1 / (argc > 1 ? atof(argv[1]) : 100), length = argc > 2 ? atof(argv[2]) : 1;
  const struct sched_param none = {0};
  if (argc > 3) sched_setscheduler(0, SCHED_BATCH, &none);
  const double begin = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
  for (double next = begin + period; next < begin + length; next += period) {
    struct timespec until = {(time_t)next, (long)((next - (double)(time_t)next) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  }
  printf("%.9f\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) / (seconds(CLOCK_MONOTONIC) - begin));
  return 0;
}
