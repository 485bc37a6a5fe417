/* bench/process.c */
#include "bench/process.h"

#include <stdio.h>
#include <time.h>

double bench_seconds(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t bench_peak_kb(void) {
  FILE     *f  = fopen("/proc/self/status", "r");
  long long kb = -1;
  char      line[256];

  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lld", &kb) == 1) break;
  if (f) fclose(f);
  return kb;
}
