/* io/cloud.h - point clouds and meshes: samples of N points, N differing from one to the next, with numbers
   per point, numbers per sample, and input functions on points of their own. Sources (docs/formats.md): our
   own HDF5 layout, HDF5 of other tools, tables of text. Readers stream: one sample is read at a time, and
   memory is what the caller asks for. Standard order: [time, point, channel], row-major. */
#ifndef FC_CLOUD_H
#define FC_CLOUD_H
#include "core/domain.h"
#include "io/field.h"

enum { FC_CLOUD_PARAMS = 32, FC_CLOUD_FUNCTIONS = 8, FC_CLOUD_COLUMNS = 32, FC_CLOUD_CORNERS = 8 };

/* Which array is what, in the words of a configuration. NULL or "": recognised by name and shape; "none":
   there is nothing of the kind. Lists are "a, b" or "[a, b]"; "label=array" names what an array holds. A
   function is "label=array+array": columns side by side, its coordinates first. */
typedef struct fc_cloud_mapping {
  const char *coordinates, *channels, *inputs, *functions, *params, *mask, *cells, *times;
} fc_cloud_mapping;

typedef enum { FC_ROLE_TARGET, FC_ROLE_INPUT } fc_cloud_role;

typedef struct fc_cloud_function { /* values on points of its own */
  char       name[FC_NAME];
  int        space, n; /* coordinates, which are the first columns (0: it has none); columns in all */
  fc_channel column[FC_CLOUD_COLUMNS];
} fc_cloud_function;

typedef struct fc_cloud_info {
  const char       *layout_name; /* "fieldcast points", "HDF5, one group per sample", ... */
  char              name[FC_NAME];
  int               n_files;
  int64_t           n_samples;
  int64_t           points, least, median, most; /* in all; of one sample */
  int64_t           cells, most_cells;
  int               corners; /* points of a cell; 0: no cells */
  int64_t           n_steps; /* of the shortest sample; 1: no time */
  double            dt;      /* NaN if unknown or not uniform */
  char              time_unit[FC_NAME], space_unit[FC_NAME];
  int               space; /* coordinates of a point, 1 to 3 */
  char              axis[3][FC_NAME];
  int               n_channels;
  fc_channel        channel[FC_FIELD_CHANNELS];
  bool              varying[FC_FIELD_CHANNELS]; /* in time */
  fc_cloud_role     role[FC_FIELD_CHANNELS];
  int               n_params;
  fc_channel        param[FC_CLOUD_PARAMS];
  int               n_functions;
  fc_cloud_function function[FC_CLOUD_FUNCTIONS];
  int               mask; /* numbers per point; 0: none */
} fc_cloud_info;

typedef struct fc_cloud_size { /* of one sample */
  int64_t points, steps, cells, rows[FC_CLOUD_FUNCTIONS];
} fc_cloud_size;

typedef struct fc_cloud fc_cloud;

/* path: a file, a folder of *.hdf5 and *.h5 or of *.csv, or a pattern; each table is a sample, unless it has
   a column "sample". All files must agree in arrays. mapping NULL: everything is recognised. FC_E_INPUT. */
fc_status            fc_cloud_open(const char *path, const fc_cloud_mapping *mapping, fc_cloud **out);
void                 fc_cloud_close(fc_cloud *c); /* NULL is fine */
const fc_cloud_info *fc_cloud_about(const fc_cloud *c);
fc_cloud_size        fc_cloud_size_of(const fc_cloud *c, int64_t sample);
/* From now on reads give block `rank` of `ranks` of the points of each sample and of the rows of its
   functions, and nothing else: a rank's share. Only cells stay whole. ranks = 1: all again. */
void          fc_cloud_share(fc_cloud *c, int rank, int ranks);
fc_range      fc_cloud_own(const fc_cloud *c, int64_t rows); /* which of so many points or rows reads give */
fc_cloud_size fc_cloud_own_size(const fc_cloud *c, int64_t sample);
/* would fc_cloud_open take this one file as points, by its content? */
bool fc_cloud_recognised(const char *path);

/* The numbers of a sample, N and rows being those of the share. FC_E_INPUT names file, array and reason;
   values are not looked at. */
fc_status fc_cloud_read_points(fc_cloud *c, int64_t sample, fc_real *x); /* [N, space] */
/* x[nt, N, n_pick], frames t0 .. t0+nt-1; what does not vary in time is repeated. pick NULL: all channels */
fc_status fc_cloud_read(fc_cloud *c, int64_t sample, int64_t t0, int64_t nt, int n_pick, const int *pick,
                        fc_real *x);
fc_status fc_cloud_read_params(fc_cloud *c, int64_t sample, fc_real *x);                 /* [n_params] */
fc_status fc_cloud_read_mask(fc_cloud *c, int64_t sample, fc_real *x);                   /* [N, mask] */
fc_status fc_cloud_read_function(fc_cloud *c, int64_t sample, int function, fc_real *x); /* [rows, n] */
/* [cells, corners]: numbers of points; FC_E_INPUT if one is not a point of the sample */
fc_status   fc_cloud_read_cells(fc_cloud *c, int64_t sample, int64_t *cell);
fc_status   fc_cloud_times(fc_cloud *c, int64_t sample, int64_t t0, int64_t nt, double *t); /* or numbers */
const char *fc_cloud_path(const fc_cloud *c, int64_t sample); /* the file it lies in */
/* root attribute of the first file, "" if absent; valid until close */
const char *fc_cloud_text(fc_cloud *c, const char *attribute);

/* Channels by the names in a list: a channel ("velocity_x"), or an array with all its components
   ("velocity"). Empty: all of the role. "none": none. Returns in *n and pick[FC_FIELD_CHANNELS]; FC_E_USAGE
   with the nearest name. */
fc_status fc_cloud_pick(const fc_cloud *c, const char *names, fc_cloud_role role, int *n, int *pick);

/* ---- statistics ---- */
typedef struct fc_cloud_moments {
  double n, mean, std, lo, hi; /* population moments */
} fc_cloud_moments;
typedef struct fc_cloud_stats {
  fc_cloud_moments axis[3], channel[FC_FIELD_CHANNELS], param[FC_CLOUD_PARAMS];
  fc_cloud_moments function[FC_CLOUD_FUNCTIONS][FC_CLOUD_COLUMNS];
} fc_cloud_stats;
/* Samples lo .. hi-1 in one streaming pass, every point and frame counting the same; targets only where the
   mask is not zero. Of a share: its points and rows, parameters in the first one alone; n is 0 where there is
   nothing. Non-finite values are an error that names where. progress may be NULL. */
fc_status fc_cloud_statistics(fc_cloud *c, int64_t lo, int64_t hi,
                              void (*progress)(void *, int64_t done, int64_t total), void *user,
                              fc_cloud_stats *out);
#endif
