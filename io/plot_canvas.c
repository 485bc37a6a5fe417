/* io/plot_canvas.c - cairo surface, lines, and the way to a PNG file. */
#include "io/file.h"
#include "io/plot_draw.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { LARGEST = 30000 }; /* pixels along a side; cairo's limit is 32767 */

/* Without any font fontconfig has nothing to offer and cairo draws with its own strokes:
   then our family is as wide as that built-in one. */
static bool only_builtin_font(cairo_t *cr) {
  cairo_text_extents_t ours, builtin;

  cairo_set_font_size(cr, 100);
  cairo_select_font_face(cr, "@cairo:", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_text_extents(cr, "Wavenumber 0123", &builtin);
  cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_text_extents(cr, "Wavenumber 0123", &ours);
  return ours.x_advance == builtin.x_advance;
}

fc_status fc_canvas_open(double width, double height, double scale, fc_canvas *c) {
  const double w = ceil(width * scale), h = ceil(height * scale);

  *c = (fc_canvas){0};
  FC_REQUIRE(w <= LARGEST && h <= LARGEST, FC_E_USAGE,
             "a picture of %.0f x %.0f pixels is larger than %d; draw fewer panels", w, h, LARGEST);
  c->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h);
  c->cr      = cairo_create(c->surface);
  if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS) {
    fc_canvas_close(c);
    return fc_fail(FC_E_SYSTEM, "no memory for a picture of %.0f x %.0f pixels", w, h);
  }
  cairo_scale(c->cr, scale, scale);
  cairo_set_source_rgb(c->cr, 1, 1, 1);
  cairo_paint(c->cr);
  c->ascii = only_builtin_font(c->cr);
  return FC_OK;
}

void fc_canvas_close(fc_canvas *c) {
  if (c->cr) cairo_destroy(c->cr);
  if (c->surface) cairo_surface_destroy(c->surface);
  *c = (fc_canvas){0};
}

static cairo_status_t append(void *file, const unsigned char *data, unsigned n) {
  return fwrite(data, 1, n, file) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

fc_status fc_canvas_save(fc_canvas *c, const char *path) {
  FILE *f;

  const cairo_status_t drawn = cairo_status(c->cr);
  FC_REQUIRE(drawn == CAIRO_STATUS_SUCCESS, FC_E_SYSTEM, "%s: the picture could not be drawn: %s", path,
             cairo_status_to_string(drawn));
  FC_TRY(fc_file_begin(path, &f));
  errno                    = 0;
  const cairo_status_t got = cairo_surface_write_to_png_stream(c->surface, append, f);
  const int            why = errno;
  if (got == CAIRO_STATUS_SUCCESS) return fc_file_commit(path, f);
  fc_file_abandon(path, f);
  return fc_fail(FC_E_SYSTEM, "%s: writing the picture failed: %s", path,
                 got == CAIRO_STATUS_WRITE_ERROR && why ? strerror(why) : cairo_status_to_string(got));
}

void fc_canvas_colour(fc_canvas *c, fc_rgb colour, double alpha) {
  cairo_set_source_rgba(c->cr, colour.r, colour.g, colour.b, alpha);
}

void fc_canvas_line(fc_canvas *c, double x0, double y0, double x1, double y1, double width) {
  cairo_set_line_width(c->cr, width);
  cairo_move_to(c->cr, x0, y0);
  cairo_line_to(c->cr, x1, y1);
  cairo_stroke(c->cr);
}
