/* cli/plot_field.h - frames of a field file on their way into a picture. */
#ifndef FC_CLI_PLOT_FIELD_H
#define FC_CLI_PLOT_FIELD_H
#include "cli/plot.h"

#include "io/field.h"

enum { FC_PICTURE_FRAMES = 64, FC_PICTURE_ROWS = 2 * FC_FIELD_CHANNELS };

typedef struct fc_picture_row { /* one row of panels (2-D, 3-D) or one chart (1-D, spectra) */
  const fc_channel *channel;
  int               index; /* among the channels, or among the constant ones */
  bool              constant;
} fc_picture_row;

typedef struct fc_picture {
  const fc_plot_request *r;
  fc_field              *file;
  const fc_field_info   *info;
  int                    n_frames, n_rows;
  int64_t                frame[FC_PICTURE_FRAMES];
  fc_picture_row         rows[FC_PICTURE_ROWS];
  int64_t                points, plane; /* of the grid, and of what is kept of a frame */
  int64_t                side[2];       /* of that plane; finer than the grid where that is uneven */
  int64_t               *node[2]; /* [side] the grid's point at each place of the plane; NULL: the same */
  bool                   map;     /* latitude x longitude: drawn with longitude to the right */
  fc_real               *values;  /* [n_rows, n_frames, plane] */
  char                   when[FC_PICTURE_FRAMES][FC_NAME + 32], title[4 * FC_NAME];
  const char            *when_label[FC_PICTURE_FRAMES];
} fc_picture;

bool        fc_has_unit(const char *unit);
const char *fc_with_unit(const char *name, const char *unit, char *buf, size_t size); /* "name (unit)" */
fc_status   fc_picture_profiles(const fc_picture *p); /* 1-D fields against x */
fc_status   fc_picture_spectra(const fc_picture *p);
#endif
