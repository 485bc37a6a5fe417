/* solvers/sgs_options.h - the options of subgrid models, in the same words in all flow solvers. */
#ifndef FC_SGS_OPTIONS_H
#define FC_SGS_OPTIONS_H
#include "core/options.h"
#include "solvers/sgs.h"

typedef struct fc_sgs_config {
  int    model; /* fc_sgs_model */
  double constant;
  int    test_filter; /* fc_sgs_filter_kind: cutoff or trapezoid */
  int    clip;        /* fc_sgs_clip */
} fc_sgs_config;

typedef enum { FC_SGS_CLIP_EDDY, FC_SGS_CLIP_TOTAL } fc_sgs_clip;

/* of a configuration S with a member `les` of type fc_sgs_config */
#define FC_SGS_OPTIONS(S)                                                                                    \
  {"sgs",                                                                                                    \
   FC_T_CHOICE,                                                                                              \
   offsetof(S, les.model),                                                                                   \
   "none",                                                                                                   \
   "subgrid model of a large-eddy simulation: eddy viscosity nu_t by this rule",                             \
   1,                                                                                                        \
   0,                                                                                                        \
   "none|smagorinsky|dynamic|wale|vreman|dynamic_clipped"},                                                  \
      {"sgs_constant",                                                                                       \
       FC_T_REAL,                                                                                            \
       offsetof(S, les.constant),                                                                            \
       "0",                                                                                                  \
       "its constant; 0: the usual one (Smagorinsky 0.17, beside walls 0.11; WALE 0.5, beside walls 0.325; " \
       "Vreman 0.07; dynamic_clipped: the largest C kept, 0.3)",                                             \
       0,                                                                                                    \
       10,                                                                                                   \
       NULL},                                                                                                \
      {"test_filter",                                                                                        \
       FC_T_CHOICE,                                                                                          \
       offsetof(S, les.test_filter),                                                                         \
       "cutoff",                                                                                             \
       "sgs=dynamic: half of the waves, or weights 1/4, 1/2, 1/4; ratio 2 both",                             \
       1,                                                                                                    \
       0,                                                                                                    \
       "cutoff|trapezoid"},                                                                                  \
  {                                                                                                          \
    "sgs_clip", FC_T_CHOICE, offsetof(S, les.clip), "eddy",                                                  \
        "sgs=dynamic, where its constant is negative: nu_t >= 0, or nu + nu_t >= 0", 1, 0, "eddy|total"      \
  }

static inline double fc_sgs_constant(const fc_sgs_config *c, bool walls) {
  return c->constant > 0 ? c->constant : fc_sgs_usual((fc_sgs_model)c->model, walls);
}
static inline double fc_sgs_least(const fc_sgs_config *c, double nu) {
  return c->clip == FC_SGS_CLIP_TOTAL ? -nu : 0;
}
#endif
