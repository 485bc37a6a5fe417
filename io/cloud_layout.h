/* io/cloud_layout.h - private to io/cloud*.c: how a source tells the reader what is where. A source finds
   arrays and says what each of their axes means; reading and transposing are written once (io/cloud_read.c).
 */
#ifndef FC_CLOUD_LAYOUT_H
#define FC_CLOUD_LAYOUT_H
#include "io/cloud.h"
#include "io/csv.h"
#include "io/hdf5_util.h"

enum { FC_ARRAY_PATH = 192, FC_CLOUD_ARRAYS = 128, FC_CLOUD_OPEN = 8 };

/* whose rows an array has: points, cells, those of function i; or one row per sample */
enum {
  FC_ROWS_ONE = -1,
  FC_ROWS_POINTS,
  FC_ROWS_CELLS,
  FC_ROWS_FUNCTION,
  FC_ROWS_KINDS = 2 + FC_CLOUD_FUNCTIONS
};

/* One data set, or one column of a table (array k is column k). Its axes, one letter each in the order on
   disk: b sample, t time, n rows, c component, 1 an axis of length one; and in our own layout, where the rows
   of all samples follow each other, f rows, and v rows that come again for each time. '@': an attribute. */
typedef struct fc_cloud_array {
  char    path[FC_ARRAY_PATH]; /* below the group of the sample if there is one */
  char    axes[FC_H5_RANK + 1];
  int64_t dim[FC_H5_RANK]; /* of the first sample */
  int     rows, n_comp;
  bool    used; /* something refers to it */
} fc_cloud_array;

typedef struct fc_cloud_column { /* one number per row */
  int array, component;
} fc_cloud_column;

typedef struct fc_cloud_map {
  fc_cloud_info   info;
  bool            grouped, table;
  int             n_arrays;
  fc_cloud_array  array[FC_CLOUD_ARRAYS];
  fc_cloud_column point[3], channel[FC_FIELD_CHANNELS], param[FC_CLOUD_PARAMS];
  fc_cloud_column function[FC_CLOUD_FUNCTIONS][FC_CLOUD_COLUMNS];
  int             mask, cells, times; /* arrays; -1: none */
  bool            centroids;          /* cells holds middles of triangles */
} fc_cloud_map;

typedef struct fc_cloud_part { /* one file */
  char    *path;
  int64_t  first, n;                  /* its samples are first .. first + n - 1 */
  int64_t *at[FC_ROWS_KINDS];         /* [n + 1]: rows before sample i; NULL: there are none of the kind */
  int64_t *steps;                     /* [n] */
  char (*group)[FC_NAME];             /* [n] if grouped */
  fc_csv_place *place;                /* [n] first row of each sample of a table */
  hid_t         file;                 /* -1: closed */
  hid_t         set[FC_CLOUD_ARRAYS]; /* kept open with the file unless grouped; 0: not open */
  uint64_t      used;
} fc_cloud_part;

struct fc_cloud {
  fc_cloud_map  *map; /* of the first file, with info for all */
  int            n_parts;
  fc_cloud_part *part;
  uint64_t       clock;
  int            rank, ranks; /* reads give block `rank` of `ranks` */
  void          *raw;         /* values as they lie in the file, grows to the largest read */
  size_t         raw_bytes;
  int64_t        table_sample; /* whose table (fc_cloud_read_table) is in raw; -1: none */
  char          *text;         /* of fc_cloud_text */
};

/* ---- sources: describe one file, and say which samples it holds ---- */
bool      fc_cloud_is_own(hid_t file);
fc_status fc_cloud_describe_own(hid_t file, const fc_cloud_mapping *w, fc_cloud_map *m, fc_cloud_part *p);
fc_status fc_cloud_describe_foreign(hid_t file, const fc_cloud_mapping *w, fc_cloud_map *m, fc_cloud_part *p);
fc_status fc_cloud_describe_table(const fc_cloud_mapping *w, fc_cloud_map *m, fc_cloud_part *p);
bool      fc_cloud_is_table(const char *path); /* a table with coordinates */

/* ---- for describe functions ---- */
/* a new array without axes yet; FC_E_INPUT if there are too many */
fc_status fc_cloud_add_array(fc_cloud_map *m, const char *file, const char *path, int rows, int *out);
/* the components of an array as channels, parameters or the next columns of function i. unit may be "" */
fc_status fc_cloud_add_channels(fc_cloud_map *m, const char *file, int array, const char *label,
                                const char *unit, fc_cloud_role role);
fc_status fc_cloud_add_params(fc_cloud_map *m, const char *file, int array, const char *label,
                              const char *unit);
fc_status fc_cloud_add_columns(fc_cloud_map *m, const char *file, int function, int array, const char *label,
                               const char *unit);
/* the coordinates: components of arrays, in order */
fc_status fc_cloud_add_axes(fc_cloud_map *m, const char *file, int array, const char *label);
void      fc_cloud_name_from_path(fc_cloud_map *m, const char *path);
/* memory for n samples with the kinds of rows that arrays of m have */
fc_status fc_cloud_part_room(const fc_cloud_map *m, fc_cloud_part *p, int64_t n);

/* ---- lists of a mapping ---- */
enum { FC_ITEM_ARRAYS = 4 };
typedef struct fc_cloud_item {
  char label[FC_NAME];
  int  n;
  char array[FC_ITEM_ARRAYS][FC_ARRAY_PATH];
} fc_cloud_item;
bool fc_cloud_told(const char *list); /* says something */
bool fc_cloud_none(const char *list); /* says "none" */
/* the next item of the list at *at, which moves on; false at its end. FC_E_USAGE: key names it in messages */
fc_status fc_cloud_next_item(const char *key, const char **at, fc_cloud_item *out, bool *more);

/* ---- reading ---- */
/* The file of a sample, opened, and the sample's number in it. FC_E_USAGE if there is no such sample. */
fc_status fc_cloud_locate(fc_cloud *c, int64_t sample, fc_cloud_part **part, int64_t *local);
void      fc_cloud_part_close(fc_cloud_part *p); /* the file; p can be opened again */
int64_t   fc_cloud_rows(const fc_cloud_part *p, int64_t local, int rows);
fc_status fc_cloud_raw(fc_cloud *c, size_t bytes); /* makes c->raw at least so large */
/* which of n rows of this kind reads give */
fc_range fc_cloud_block(const fc_cloud *c, int rows, int64_t n);
/* out[nt, rows, n] of columns whose arrays have these rows */
fc_status fc_cloud_read_columns(fc_cloud *c, int64_t sample, int rows, int64_t t0, int64_t nt, int n,
                                const fc_cloud_column *col, fc_real *out);
/* the table of a sample as doubles [1 + rows, columns] in c->raw: its first row, then those of the share */
fc_status fc_cloud_read_table(fc_cloud *c, const fc_cloud_part *p, int64_t local, int64_t sample,
                              int *columns);
/* io/cloud_cells.c: triangles [n, 3] whose middles are c[n, D], among points x[N, D]. FC_E_INPUT: one of them
   is nobody's middle. */
fc_status fc_cloud_triangles(int D, int64_t N, const fc_real *x, int64_t n, const fc_real *c, int64_t *cell);
#endif
