/* io/statistics.h - statistics of flows as they are kept: quantities over an axis (profiles, spectra,
   histories) or single numbers, each with 95 % confidence intervals, unit and definition. One structure for
   solvers, data, rollouts and published tables, so files, tables, comparisons and pictures are written once.
   docs/formats.md describes the HDF5 file. */
#ifndef FC_STATISTICS_H
#define FC_STATISTICS_H
#include "io/field.h"

enum { FC_STATISTICS_TEXTS = 12, FC_DEFINITION = 240 };

typedef struct fc_quantity {
  char    name[FC_NAME], unit[FC_NAME];      /* unit "": a pure number, or the file does not say */
  char    axis[FC_NAME], axis_unit[FC_NAME]; /* "y", "y_plus", "kx", "k", "time"; axis "": a single number */
  char    definition[FC_DEFINITION];
  int64_t n;
  double *x, *value, *half; /* [n]: coordinate, value, half-width of the interval; NaN: not known */
} fc_quantity;

typedef struct fc_statistics {
  char    kind[FC_NAME]; /* "channel", "isotropic", "table" */
  int64_t samples;       /* frames, over all trajectories */
  int     batches;
  double  from, to, correlation; /* times; of neighbouring batches (solvers/batch_means.h). NaN: not known */
  int     n, room;
  fc_quantity *q;
  int          n_texts; /* provenance: source, command, filter, solver, .. */
  struct {
    char *name, *value;
  } text[FC_STATISTICS_TEXTS];
} fc_statistics;

void fc_statistics_init(fc_statistics *s, const char *kind);
void fc_statistics_free(fc_statistics *s);

/* A new quantity of n numbers with these coordinates (NULL: a single number), values NaN; axis "y (h)" has a
   unit. NULL: no memory. */
fc_quantity *fc_statistics_add(fc_statistics *s, const char *name, const char *unit, const char *axis,
                               int64_t n, const double *x, const char *definition);
/* NULL if there is none of this name over this axis (axis NULL: any) */
const fc_quantity *fc_statistics_find(const fc_statistics *s, const char *name, const char *axis);
void               fc_statistics_text(fc_statistics *s, const char *name,
                                      const char *value); /* replaces an earlier one; "" is left out */
const char        *fc_statistics_say(const fc_statistics *s, const char *name); /* "" if absent */

/* HDF5, written to PATH.tmp and renamed */
fc_status fc_statistics_write(const char *path, const fc_statistics *s);
bool      fc_statistics_recognised(const char *path);
fc_status fc_statistics_read(const char *path, fc_statistics *s); /* FC_E_INPUT in words; s is then empty */
/* A table as text: columns of numbers between blanks or commas, lines of '#' and '%' left out. columns
   "y_plus=2,mean_u_plus=3" says which column is which, counted from 1; the first is the axis. Intervals are
   not known. */
fc_status fc_statistics_read_table(const char *path, const char *columns, fc_statistics *s);

/* Value of q at x, by the cubic through the four points around it, and half-width by a straight line; false
   outside its points. */
bool fc_quantity_at(const fc_quantity *q, double x, double *value, double *half);

typedef struct fc_agreement {
  int64_t n;       /* common points: those of the coarser of the two */
  double  error;   /* root of sum w (a - b)^2 / sum w b^2, w the length of axis that belongs to a point */
  double  by_rows; /* the same with w = 1, as published tables are compared */
  double interval; /* what error would be if a - b were the combined half-width, root of the sum of squares */
  bool   known;    /* at least one of the two has intervals */
} fc_agreement;

/* a against the reference b; error <= interval is a tie. False if they have no point in common. */
bool fc_quantity_compare(const fc_quantity *a, const fc_quantity *b, fc_agreement *out);
#endif
