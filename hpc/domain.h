/* hpc/domain.h - the process grid: ranks = data groups x domain group. Neighbouring ranks share a field. */
#ifndef FC_HPC_DOMAIN_H
#define FC_HPC_DOMAIN_H
#include "core/domain.h"
#include "hpc/comm.h"

typedef struct fc_process_grid {
  fc_domain domain; /* for contexts: c->domain = &grid.domain; one rank means serial */
  fc_comm  *points; /* ranks that share a field */
  fc_comm  *data;   /* ranks of equal place in their domains: one of each data group */
  int       groups; /* data groups */
} fc_process_grid;

/* FC_E_USAGE if the number of ranks is not a multiple of domain. Collective. */
fc_status fc_process_grid_create(int domain, fc_process_grid *out);
void      fc_process_grid_destroy(fc_process_grid *g);
#endif
