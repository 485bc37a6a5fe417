/* io/state_file.h - what a run needs to go on, in one file of all ranks: a text, and the numbers of each
   rank. Replaced in one piece. Little endian: char magic[8]; int64 ranks, bytes of the text; the text; of
   each rank: int64 numbers, uint64 sum of them; uint64 sum of all so far; from the next multiple of 4096
   bytes on the numbers (doubles), rank after rank. */
#ifndef FC_STATE_FILE_H
#define FC_STATE_FILE_H
#include "core/base.h"

/* All ranks together, each with its n numbers; rank 0's text counts. A rank that has failed before says so in
   `mine`, and nothing is written. */
fc_status fc_state_file_write(const char *path, const char *text, int64_t n, const double *x, fc_status mine);

/* Reading is each rank's own affair. FC_E_INPUT: missing, cut, damaged, in words. */
typedef struct fc_state_file fc_state_file;
fc_status                    fc_state_file_open(const char *path, fc_state_file **out);
void                         fc_state_file_close(fc_state_file *f); /* NULL is fine */
const char                  *fc_state_file_text(const fc_state_file *f);
int64_t                      fc_state_file_ranks(const fc_state_file *f);
int64_t                      fc_state_file_size(const fc_state_file *f, int64_t rank); /* its numbers */
fc_status                    fc_state_file_read(const fc_state_file *f, int64_t rank, double *x);
#endif
