/* solvers/sgs_options.h - the options of subgrid models, in the same words in all flow solvers: a
   configuration has the members int sgs, test_filter, sgs_clip and double sgs_constant. */
#ifndef FC_SGS_OPTIONS_H
#define FC_SGS_OPTIONS_H
#include "core/options.h"
#include "solvers/sgs.h"

typedef enum { FC_SGS_CLIP_EDDY, FC_SGS_CLIP_TOTAL } fc_sgs_clip;

#define FC_SGS_MODELS "none|smagorinsky|dynamic|wale|vreman|dynamic_clipped" /* as fc_sgs_model */

#define FC_SGS_OPTIONS(S)                                                                                    \
  FC_OPT_CHOICE(S, sgs, FC_SGS_MODELS, "none",                                                               \
                "subgrid model of a large-eddy simulation: where the eddy viscosity nu_t comes from"),       \
      FC_OPT_REAL(S, sgs_constant, "0", 0, 10,                                                               \
                  "its constant; 0: the usual one (Smagorinsky 0.17, beside walls 0.11; WALE 0.5, beside "   \
                  "walls 0.325; Vreman 0.07; dynamic_clipped: the largest C kept, 0.3)"),                    \
      FC_OPT_CHOICE(S, test_filter, "cutoff|trapezoid", "cutoff",                                            \
                    "sgs=dynamic: half of the waves, or weights 1/4, 1/2, 1/4; ratio 2 both"),               \
      FC_OPT_CHOICE(S, sgs_clip, "eddy|total", "eddy",                                                       \
                    "sgs=dynamic, where its constant is negative: nu_t >= 0, or nu + nu_t >= 0")

static inline double fc_sgs_constant(int sgs, double constant, bool walls) {
  return constant > 0 ? constant : fc_sgs_usual((fc_sgs_model)sgs, walls);
}
static inline double fc_sgs_least(int clip, double nu) { return clip == FC_SGS_CLIP_TOTAL ? -nu : 0; }
#endif
