/* cli/info_reading.h - progress of 'fieldcast info': small files are read in no time, only long reading is
 * told. */
#ifndef FC_INFO_READING_H
#define FC_INFO_READING_H
#include "core/progress.h"

typedef struct fc_info_reading {
  const char *unit;
  double      began;
  bool        shown;
  fc_progress p;
} fc_info_reading;

fc_info_reading fc_info_reading_start(const char *unit);
void            fc_info_reading_tick(void *reading, int64_t done, int64_t total);
void            fc_info_reading_end(fc_info_reading *r);
#endif
