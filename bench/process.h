/* bench/process.h - clock and memory of this process. */
#ifndef FC_BENCH_PROCESS_H
#define FC_BENCH_PROCESS_H
#include "core/base.h"

double  bench_seconds(void); /* monotonic */
int64_t bench_peak_kb(void); /* VmHWM: highest resident memory so far in kB; -1 if the system does not tell */
#endif
