/* hpc/sweep.h - several values for several keys: the product of all, numbered, the last key fastest. */
#ifndef FC_SWEEP_H
#define FC_SWEEP_H
#include "core/options.h"

enum { FC_SWEEP_AXES = 8, FC_SWEEP_MOST = 10000 };

typedef struct fc_axis {
  char   key[FC_WORD];
  int    n;
  char **value; /* [n] owned */
} fc_axis;

typedef struct fc_sweep {
  int     n;
  fc_axis axis[FC_SWEEP_AXES];
} fc_sweep;

/* "key=a,b,c", or "key=1..5" for whole numbers; commas in brackets separate nothing. FC_E_USAGE if that is
   empty, twice the same, or too much. */
fc_status   fc_sweep_add(fc_sweep *s, const char *text);
void        fc_sweep_free(fc_sweep *s);
int64_t     fc_sweep_tasks(const fc_sweep *s); /* 0: no key */
const char *fc_sweep_value(const fc_sweep *s, int64_t task, int axis);
/* "07-lr=1e-3_seed=2": a name for a folder, with nothing in it that a shell or a file system minds */
void fc_sweep_name(const fc_sweep *s, int64_t task, char *out, size_t size);
#endif
