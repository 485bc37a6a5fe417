/* io/plot_shade.h - how the values of a row of panels become pixels. Private to io/plot*.c. */
#ifndef FC_PLOT_SHADE_H
#define FC_PLOT_SHADE_H
#include "io/plot.h"
#include "io/plot_draw.h"

enum { FC_SHADES = 1024 };

typedef struct fc_shades {
  double   lo, hi;
  bool     empty; /* no finite value in the row */
  uint32_t shade[FC_SHADES], grey;
} fc_shades;

/* one range and map for a row of cols panels */
void     fc_shades_set(const fc_panel *p, int cols, fc_shades *s);
uint32_t fc_shade_of(const fc_shades *s, double v); /* 0xrrggbb */
/* pixels of a panel whose longer side is to be about target */
void fc_panel_size(const fc_panel *p, double target, int64_t *w, int64_t *h);
/* into the pixels [left, left + w) x [top, top + h) */
void fc_panel_paint(fc_canvas *c, const fc_panel *p, const fc_shades *s, int64_t left, int64_t top, int64_t w,
                    int64_t h);

/* the same for a panel that shows a scene (io/plot_scene.c) */
void fc_scene_size(const fc_scene *scene, double target, int64_t *w, int64_t *h);
void fc_scene_paint(fc_canvas *c, const fc_panel *p, const fc_shades *s, int64_t left, int64_t top, int64_t w,
                    int64_t h);
#endif
