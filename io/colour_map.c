/* io/colour_map.c - the maps are short formulas in Oklab (B. Ottosson, "A perceptual color space for image
   processing", 2020): lightness is a straight line, so equal steps of the number look equal, in grey print
   and to colour-blind eyes too; hue and chroma are chosen to stay inside sRGB. */
#include "io/colour_map.h"

#include <math.h>

/* lightness 0..1, chroma (0: grey), hue in degrees */
typedef struct {
  double L, C, h;
} lch;

static fc_rgb linear_rgb(lch k) {
  const double a = k.C * cos(k.h * M_PI / 180), b = k.C * sin(k.h * M_PI / 180);
  const double l = pow(k.L + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = pow(k.L - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = pow(k.L - 0.0894841775 * a - 1.2914855480 * b, 3);

  return (fc_rgb){4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                  -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                  -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

static double encode(double v) {
  v = fmin(fmax(v, 0), 1);
  return v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

static fc_rgb srgb(lch k) {
  const fc_rgb v = linear_rgb(k);

  return (fc_rgb){encode(v.r), encode(v.g), encode(v.b)};
}

static lch sequential(double t) {
  return (lch){0.20 + 0.74 * t, 0.105 - 0.125 * t + 0.185 * t * t, 292 - 186 * t};
}

static lch diverging(double t) {
  const double s = fabs(2 * t - 1); /* distance from the middle */

  return (lch){0.97 - 0.53 * s, 0.19 * s - 0.04 * s * s, t < 0.5 ? 256 : 27};
}

fc_rgb fc_colour_at(fc_colour_map map, double t) {
  if (isnan(t)) return (fc_rgb){0.70, 0.70, 0.70};
  t = fmin(fmax(t, 0), 1);
  return srgb(map == FC_MAP_DIVERGING ? diverging(t) : sequential(t));
}

fc_rgb fc_colour_line(int i) {
  static const lch line[] = {{0.44, 0.13, 258}, {0.69, 0.16, 58}, {0.58, 0.10, 172}, {0.50, 0.18, 2},
                             {0.76, 0.10, 230}, {0.38, 0.06, 70}, {0.74, 0.15, 122}, {0.55, 0.00, 0}};

  return srgb(line[i % (int)(sizeof line / sizeof line[0])]);
}
