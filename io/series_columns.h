/* io/series_columns.h - private to io/series_table.c and io/series_look.c: what the columns of a table hold.
 */
#ifndef FC_SERIES_COLUMNS_H
#define FC_SERIES_COLUMNS_H
#include "io/csv.h"
#include "io/series_layout.h"

enum { FC_DATE_PARTS = 6, FC_CELL = 48 };

/* cells of a column read as dates in one order */
typedef struct fc_dates_look {
  int64_t n, bad_line, last, diff, odd, same; /* that are dates; first line without; before; steps */
  char    bad[FC_CELL];
} fc_dates_look;

typedef enum { FC_TAKES_NOTHING, FC_TAKES_NUMBERS, FC_TAKES_TRUTHS, FC_TAKES_CLASSES } fc_takes;

typedef struct fc_column_look {
  int64_t         numbers, missing, text, truths; /* cells */
  int64_t         text_line;                      /* first text */
  char            text_cell[FC_CELL];
  bool            strict;   /* dates are written as such: 2016-07-01, not 20160701 */
  fc_dates_look   date[3];  /* by fc_date_order */
  bool            declared; /* classes by the configuration */
  bool            too_many; /* different texts to be classes unasked */
  fc_series_class classes;  /* texts, as long as they may be classes */
  int             last;     /* class found last */
  bool            ignored, used;
} fc_column_look;

typedef struct fc_table_look {
  fc_csv                  *t;
  const char              *path;
  const fc_series_mapping *told;
  int                      n;
  fc_column_look          *col;
  int64_t                  rows;
  fc_csv_place             first;                       /* row */
  int                      n_date, date[FC_DATE_PARTS]; /* columns of dates; 0: none */
  fc_date_order            order;
  fc_dates_look            joined[3]; /* if there are several */
  int                      id;        /* -1: none */
} fc_table_look;

/* Reads the header and all cells (at most `most` rows; 0: all). */
fc_status fc_table_look_open(const char *path, const fc_series_mapping *told, int64_t most,
                             fc_table_look *out);
void      fc_table_look_close(fc_table_look *l);
/* finds the dates and decides their order; FC_E_INPUT with line and column */
fc_status fc_table_look_dates(fc_table_look *l);
/* the text of a row's date in buf */
const char *fc_table_date(const fc_table_look *l, char *const *cell, char *buf, size_t size);
bool        fc_cell_truth(const char *cell, double *x);
#endif
