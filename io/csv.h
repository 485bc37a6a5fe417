/* io/csv.h - tables as text: a header line with the names of the columns, then one row a line. The separator
   (comma, semicolon or tab) is seen in the header; quotes, doubled quotes inside, CRLF and a byte-order mark
   are understood; a cell in quotes may hold line breaks. Blank lines are skipped. */
#ifndef FC_CSV_H
#define FC_CSV_H
#include "io/field.h"

#include <stdio.h>

typedef struct fc_csv fc_csv;

fc_status   fc_csv_open(const char *path, fc_csv **out); /* reads the header; FC_E_INPUT in words */
void        fc_csv_close(fc_csv *t);                     /* NULL is fine */
int         fc_csv_columns(const fc_csv *t);
const char *fc_csv_name(const fc_csv *t, int k);
int         fc_csv_find(const fc_csv *t, const char *name); /* -1 if there is no such column */

/* The next row as texts cell[columns], valid until the next call; NULL at the end. FC_E_INPUT: too few or too
   many cells. */
fc_status fc_csv_next(fc_csv *t, char ***cell);
int64_t   fc_csv_line(const fc_csv *t); /* where the row read last begins, counted from 1 */

/* where the next row begins, and back to such a place */
typedef struct fc_csv_place {
  int64_t byte, line;
} fc_csv_place;
fc_csv_place fc_csv_tell(const fc_csv *t);
fc_status    fc_csv_seek(fc_csv *t, fc_csv_place at);

/* true if the whole cell is one number; blanks around it are fine */
bool fc_csv_number(const char *cell, double *x);
/* the same; where cells are not separated by commas, 1,5 is a number too */
bool fc_csv_value(const fc_csv *t, const char *cell, double *x);
/* "p (Pa)" or "p [Pa]": name[FC_NAME] and unit[FC_NAME], "" if there is none */
void fc_csv_split_unit(const char *column, char *name, char *unit);
/* cell k of the row read last as a finite number, else FC_E_INPUT with line and column */
fc_status fc_csv_real(const fc_csv *t, char *const *cell, int k, double *x);

/* writes a text as one cell of a table with commas: in quotes where it must be */
void fc_csv_put(FILE *f, const char *text);
#endif
