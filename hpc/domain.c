/* hpc/domain.c */
#include "hpc/domain.h"

#include <string.h>

static fc_domain domain_of(const fc_comm *points) {
  return (fc_domain){.rank       = fc_comm_rank(points),
                     .size       = fc_comm_size(points),
                     .comm       = points,
                     .sum        = fc_comm_sum,
                     .sum_double = fc_comm_sum_double,
                     .max        = fc_comm_max,
                     .exchange   = fc_comm_exchange};
}

fc_status fc_process_grid_create(int domain, fc_process_grid *out) {
  const int ranks = fc_comm_size(NULL), rank = fc_comm_rank(NULL);

  memset(out, 0, sizeof *out);
  FC_REQUIRE(
      domain >= 1 && ranks % domain == 0, FC_E_USAGE,
      "%d ranks cannot form domains of %d; the number of ranks must be a multiple of it (mpirun -n %d)",
      ranks, domain, domain > 0 ? domain * (int)fc_ceil_div(ranks, domain) : 1);
  FC_TRY(fc_comm_split(NULL, rank / domain, &out->points));
  FC_TRY(fc_comm_split(NULL, rank % domain, &out->data));
  out->domain = domain_of(out->points);
  out->groups = ranks / domain;
  return FC_OK;
}

void fc_process_grid_destroy(fc_process_grid *g) {
  fc_comm_free(g->points);
  fc_comm_free(g->data);
  memset(g, 0, sizeof *g);
}
