/* io/xdmf.c - Xdmf version 2 beside a file of ours. Nothing is copied: each array is a HyperSlab of the
   HDF5 data set. VTK counts its X axis fastest, which on disk is our last axis, so axes and vector components
   are given in reverse order and the picture comes out transposed in 2-D; the file says so. */
#include "io/xdmf.h"

#include "io/file.h"

#include <string.h>

enum { MOST_TRAJ = 16 };

typedef struct xdmf {
  FILE                *f;
  const fc_field_spec *s;
  const char          *base;
  int                  precision;
} xdmf;

void fc_xdmf_path(const char *hdf5_path, char *out, size_t size) {
  const char *slash = strrchr(hdf5_path, '/'), *dot = strrchr(hdf5_path, '.');
  const bool  ends = dot && (!slash || dot > slash + 1) && dot != hdf5_path;

  snprintf(out, size, "%.*s.xmf", (int)(ends ? dot - hdf5_path : (ptrdiff_t)strlen(hdf5_path)), hdf5_path);
}

static void escaped(FILE *f, const char *text) {
  for (; *text; text++) switch (*text) {
    case '&':
      fputs("&amp;", f);
      break;
    case '<':
      fputs("&lt;", f);
      break;
    case '>':
      fputs("&gt;", f);
      break;
    case '"':
      fputs("&quot;", f);
      break;
    default:
      fputc(*text, f);
    }
}

/* "1 NX NY": VTK's Z Y X, padded with ones in front */
static void grid_size(const xdmf *x) {
  for (int a = x->s->ndim; a < 3; a++) fputs("1 ", x->f);
  for (int a = 0; a < x->s->ndim; a++) fprintf(x->f, "%s%lld", a ? " " : "", (long long)x->s->dim[a]);
}

/* one row of the 3 x rank selection: a number for trajectory and time, one for each space axis, and the
 * component */
static void row(const xdmf *x, int64_t traj, int64_t t, bool space, int64_t comp, bool vector) {
  fprintf(x->f, "%lld %lld", (long long)traj, (long long)t);
  for (int a = 0; a < x->s->ndim; a++)
    fprintf(x->f, " %lld", space ? (long long)x->s->dim[a] : comp < 0 ? 1LL : 0LL);
  if (vector) fprintf(x->f, " %lld", (long long)(comp < 0 ? 1 : comp));
  fputs("  ", x->f);
}

static void slab(const xdmf *x, const fc_out_field *field, int64_t traj, int64_t t, int component) {
  const bool vector = field->rank == 1;
  const int  rank   = 2 + x->s->ndim + vector;
  FILE      *f      = x->f;

  fputs("<DataItem ItemType=\"HyperSlab\" Dimensions=\"", f), grid_size(x),
      fputs("\" Type=\"HyperSlab\">", f);
  fprintf(f, "<DataItem Dimensions=\"3 %d\" Format=\"XML\">", rank);
  row(x, traj, t, false, component, vector); /* start */
  row(x, 1, 1, false, -1, vector);           /* stride */
  row(x, 1, 1, true, 1, vector);             /* count */
  fprintf(f, "</DataItem><DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"%d\" Dimensions=\"",
          x->precision);
  row(x, x->s->n_traj, x->s->n_steps, true, x->s->ndim, vector);
  fputs("\">", f), escaped(f, x->base), fprintf(f, ":/t%d_fields/", field->rank), escaped(f, field->name);
  fputs("</DataItem></DataItem>\n", f);
}

/* vectors get three components in VTK's order: last axis first */
static void attribute(const xdmf *x, const fc_out_field *field, int64_t traj, int64_t t) {
  static const char *const join[4] = {"", "JOIN($0, 0*$0, 0*$0)", "JOIN($1, $0, 0*$0)", "JOIN($2, $1, $0)"};
  FILE                    *f       = x->f;

  fputs("<Attribute Center=\"Node\" Name=\"", f), escaped(f, field->name);
  fprintf(f, "\" AttributeType=\"%s\">\n", field->rank ? "Vector" : "Scalar");
  if (field->rank) {
    fputs("<DataItem ItemType=\"Function\" Dimensions=\"", f), grid_size(x);
    fprintf(f, " 3\" Function=\"%s\">\n", join[x->s->ndim]);
    for (int k = 0; k < x->s->ndim; k++) slab(x, field, traj, t, k);
    fputs("</DataItem>\n", f);
  } else
    slab(x, field, traj, t, 0);
  fputs("</Attribute>\n", f);
}

static void three(const xdmf *x, const double *v, double pad) {
  fputs("<DataItem Dimensions=\"3\" Format=\"XML\">", x->f);
  for (int a = x->s->ndim; a < 3; a++) fprintf(x->f, "%g ", pad);
  for (int a = 0; a < x->s->ndim; a++) fprintf(x->f, "%.17g ", v[a]);
  fputs("</DataItem>\n", x->f);
}

static bool even(const fc_field_spec *s) {
  for (int a = 0; a < s->ndim; a++)
    if (s->points[a]) return false;
  return true;
}

/* coordinates as the file holds them, VTK's X first */
static void coordinates(const xdmf *x) {
  static const char *const names[3] = {"x", "y", "z"};
  const fc_field_spec     *s        = x->s;

  for (int a = s->ndim - 1; a >= 0; a--) {
    fprintf(x->f, "<DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"%lld\">",
            (long long)s->dim[a]);
    escaped(x->f, x->base), fputs(":/dimensions/", x->f), escaped(x->f, s->axis[a] ? s->axis[a] : names[a]);
    fputs("</DataItem>\n", x->f);
  }
  for (int a = s->ndim; a < 3; a++) fputs("<DataItem Dimensions=\"1\" Format=\"XML\">0</DataItem>\n", x->f);
}

static void geometry(const xdmf *x) {
  const bool uniform = even(x->s);

  fprintf(x->f, "<Topology TopologyType=\"%s\" Dimensions=\"", uniform ? "3DCoRectMesh" : "3DRectMesh");
  grid_size(x);
  fprintf(x->f, "\"/>\n<Geometry GeometryType=\"%s\">\n", uniform ? "ORIGIN_DXDYDZ" : "VXVYVZ");
  if (uniform)
    three(x, x->s->origin, 0), three(x, x->s->spacing, 1);
  else
    coordinates(x);
  fputs("</Geometry>\n", x->f);
}

static void step(const xdmf *x, int64_t traj, int64_t t) {
  FILE *f = x->f;

  fprintf(f, "<Grid Name=\"step %lld\" GridType=\"Uniform\">\n<Time Value=\"%.17g\"/>\n", (long long)t,
          x->s->t0 + (double)t * x->s->dt);
  geometry(x);
  for (int i = 0; i < x->s->n_fields; i++) attribute(x, &x->s->field[i], traj, t);
  fputs("</Grid>\n", f);
}

static void head(const xdmf *x) {
  static const char *const vtk = "XYZ";
  const fc_field_spec     *s   = x->s;

  fputs("<?xml version=\"1.0\" ?>\n<!DOCTYPE Xdmf SYSTEM \"Xdmf.dtd\" []>\n"
        "<!-- Open with ParaView's \"XDMF Reader\" (not \"Xdmf3 Reader\", which skips the arrays).\n"
        "     Axes: ParaView's X runs fastest in memory, so",
        x->f);
  for (int a = s->ndim - 1; a >= 0; a--)
    fprintf(x->f, "%s %c is axis %d of the file", a == s->ndim - 1 ? "" : ",", vtk[s->ndim - 1 - a], a + 1);
  fprintf(x->f, ";\n     vector components are swapped to match. %lld of %lld trajectories are listed. -->\n",
          (long long)fc_min64(s->n_traj, MOST_TRAJ), (long long)s->n_traj);
  fputs("<Xdmf Version=\"2.0\">\n<Domain>\n", x->f);
}

fc_status fc_xdmf_write(const char *hdf5_path, const fc_field_spec *spec, int precision) {
  char        path[4096];
  const char *slash = strrchr(hdf5_path, '/');
  xdmf        x     = {NULL, spec, slash ? slash + 1 : hdf5_path, precision};

  fc_xdmf_path(hdf5_path, path, sizeof path);
  FC_TRY(fc_file_begin(path, &x.f));
  head(&x);
  for (int64_t b = 0; b < fc_min64(spec->n_traj, MOST_TRAJ); b++) {
    fprintf(x.f, "<Grid Name=\"trajectory %lld\" GridType=\"Collection\" CollectionType=\"Temporal\">\n",
            (long long)b);
    for (int64_t t = 0; t < spec->n_steps; t++) step(&x, b, t);
    fputs("</Grid>\n", x.f);
  }
  fputs("</Domain>\n</Xdmf>\n", x.f);
  return fc_file_commit(path, x.f);
}
