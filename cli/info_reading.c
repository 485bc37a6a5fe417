/* cli/info_reading.c */
#include "cli/info_reading.h"

#include "cli/cli.h"

enum { QUIET_SECONDS = 2 };

fc_info_reading fc_info_reading_start(const char *unit) {
  return (fc_info_reading){.unit = unit, .began = fc_now()};
}

void fc_info_reading_tick(void *reading, int64_t done, int64_t total) {
  fc_info_reading *r = reading;

  if (!r->shown) {
    if (fc_now() - r->began < QUIET_SECONDS || done == total) return;
    fc_progress_start(&r->p, "read", r->unit, 0, total, fc_verbosity == 0);
    r->shown = true;
  }
  fc_progress_update(&r->p, done, NULL);
}

void fc_info_reading_end(fc_info_reading *r) {
  if (r->shown) fc_progress_end(&r->p, NULL);
}
