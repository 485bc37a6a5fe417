/* io/series.h - time series: columns of numbers (or of categories) over dates at equal steps; one series or
   several of the same columns. From CSV or HDF5 (docs/formats.md). A whole file is held in memory. */
#ifndef FC_SERIES_H
#define FC_SERIES_H
#include "io/calendar.h"
#include "io/field.h"

enum { FC_SERIES_COLUMNS = 1024 };

/* What becomes of cells without a number, and of rows that the step demands but the file lacks. The open end
   of a column is no such case: cells behind its last value (of a series) are NaN, whatever the policy,
   because rows may go on with what is known ahead of time. KEEP: all of them are NaN (for looking at a file).
 */
typedef enum {
  FC_MISSING_REFUSE,
  FC_MISSING_INTERPOLATE, /* linear; classes are held */
  FC_MISSING_HOLD,        /* the value before */
  FC_MISSING_KEEP
} fc_missing_kind;

/* Which column is what, in the words of a configuration; NULL or "": found by name and content. */
typedef struct fc_series_mapping {
  const char *date; /* column of dates, or several whose texts are joined: "Date+Time",
                       "year+month+day+hour"; "none": rows are numbered */
  const char *id;   /* column that names the series a row belongs to; "": one called unique_id, series_id,
                       item_id or series_name, else one series; "none": one series. A column only if it is among
                             the categories too */
  const char *categories; /* list of columns whose values are names, or numbers that mean classes; columns of
                             text with up to 256 different ones are classes unasked */
  const char     *ignore; /* list of columns that are not read */
  const char     *step;   /* "1h"; "": the most frequent one */
  fc_missing_kind missing;
  bool            sort; /* newest first, or no order: sort instead of refusing */
} fc_series_mapping;

typedef struct fc_series_class { /* of a column of categories, in order of first appearance */
  int    n;
  char **name;
} fc_series_class;

typedef struct fc_series_info {
  const char     *layout_name; /* "CSV table", "CSV table, a series in each row", "HDF5" */
  int             n_columns;
  fc_channel      column[FC_SERIES_COLUMNS];   /* name, unit */
  fc_series_class category[FC_SERIES_COLUMNS]; /* n = 0: numbers */
  int             n_series;
  char          **series; /* [n_series] names; "" if there is one without */
  int64_t        *at;     /* [n_series + 1]: rows of series k are at[k] .. at[k+1]-1 */
  int64_t         rows;
  int64_t         filled_rows, filled_cells; /* what the missing policy has made: rows; cells of other rows */
  int64_t         open_cells;                /* NaN at the open ends */
  bool            dated;
  fc_date_step    step;
  char            date_column[FC_NAME];
  bool            reordered;  /* by sort */
  int             n_left_out; /* columns that hold nothing, only other dates, or too many texts */
  char            left_out[8][2 * FC_NAME]; /* the first ones: name and why */
} fc_series_info;

typedef struct fc_series fc_series;

/* mapping NULL: everything is found. FC_E_INPUT names file, line and column: no header, text in a column of
   numbers, gaps, duplicates, unsorted dates, too few rows. FC_E_USAGE for names that the file lacks, with the
   nearest one. */
fc_status fc_series_open(const char *path, const fc_series_mapping *mapping, fc_series **out);
void      fc_series_close(fc_series *s); /* NULL is fine */
/* Rows of another file, behind the last of each series of that name (a file without names: of every series):
   what is known ahead of time. Columns are found by name, those that it lacks are NaN; rows that s has
   already are skipped. mapping: that of s. FC_E_INPUT if the rows do not follow by the step. */
fc_status fc_series_append(fc_series *s, const char *path, const fc_series_mapping *mapping);
/* Columns by formula, at the end: of the list's words "series" is a class for each series, "row" the number
   of a row in its series from 0 on, "row%24" that number modulo 24 as classes, "NAME@48" what a column of
   numbers was 48 rows before (the first value before there is one). Each series goes on for `more` rows in
   which nothing else is known. FC_E_USAGE for other words and names that are taken */
fc_status fc_series_derive(fc_series *s, const char *list, int64_t more);
/* N and NAME of "NAME@N"; 0: the word is none */
int64_t               fc_series_lag(const char *word, char name[FC_NAME]);
const fc_series_info *fc_series_about(const fc_series *s);
/* [rows, n_columns]; categories as numbers from 0; NaN at open ends */
const double  *fc_series_values(const fc_series *s);
const int64_t *fc_series_times(const fc_series *s); /* [rows] seconds, or row numbers if not dated */
int            fc_series_find(const fc_series *s, const char *name); /* with or without unit; -1: none */

/* To HDF5 in our own layout, with texts as root attributes (command, model, ..): of info the columns,
   classes, series and their rows, step and dated are used. Written to PATH.tmp and renamed. FC_E_SYSTEM */
typedef struct fc_series_text {
  const char *name, *value;
} fc_series_text;
fc_status fc_series_write(const char *path, const fc_series_info *info, const double *x, const int64_t *time,
                          int n_texts, const fc_series_text *text);

/* would fc_series_open take this file, by its content? */
bool fc_series_recognised(const char *path);
#endif
