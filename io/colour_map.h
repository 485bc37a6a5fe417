/* io/colour_map.h - colours for numbers and for curves. */
#ifndef FC_COLOUR_MAP_H
#define FC_COLOUR_MAP_H

typedef enum {
  FC_MAP_SEQUENTIAL, /* dark violet, blue, green, yellow: lightness rises evenly */
  FC_MAP_DIVERGING   /* blue, white, red about 0: equal lightness at equal distance */
} fc_colour_map;

typedef struct fc_rgb {
  double r, g, b;
} fc_rgb; /* sRGB, 0..1 */

/* t in 0..1, clipped; NaN is grey */
fc_rgb fc_colour_at(fc_colour_map map, double t);
/* colours of the i-th curve: eight that differ in lightness as well as hue, then again */
fc_rgb fc_colour_line(int i);
#endif
