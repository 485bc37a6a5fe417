/* train/sam.h - sharpness-aware minimisation (Foret, Kleiner, Mobahi, Neyshabur, ICLR 2021, arXiv
   2010.01412): the gradient that the optimiser takes is that at w + rho g / (|g| + 1e-12), g the gradient at
   w, | | the norm over all weights. */
#ifndef FC_SAM_H
#define FC_SAM_H
#include "core/params.h"

typedef struct fc_sam fc_sam;

/* for the trained weights of p, which must outlive it. FC_E_SYSTEM without memory for a copy of them. */
fc_status fc_sam_create(fc_params *p, fc_sam **out);
void      fc_sam_destroy(fc_sam *s); /* NULL is fine */

/* w += rho g / (norm + 1e-12), by the gradients that p holds and their norm */
void fc_sam_climb(fc_sam *s, double rho, double norm);
void fc_sam_return(fc_sam *s); /* to the bits from before */
#endif
