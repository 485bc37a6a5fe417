/* train/outlook.h - what a training step will take on machines that are not here: arithmetic, messages and
   memory per rank from a dry run with as many ranks, the speed of arithmetic from a small step that really
   runs here, and a model of the network.

   Time of a step on R ranks, D of which share each field (R / D groups with samples of their own):
     compute      flops / rate            flops of this rank's share; rate: measured on this machine, same
   model exchange     messages L + bytes / B  in forward and backward, nothing hidden behind arithmetic
     gradients    2 log2(R) buckets L + 2 (R - 1) / R bytes / B, hidden behind two thirds of compute
     weights      (R - 1) L + (R - 1) / R bytes / B with train.shard_optimiser: parts go round a ring
   the terms of LogGP (Alexandrov, Ionescu, Schauser, Scheiman, SPAA 1995) that matter for long messages: L is
   a message's latency with the overhead at both ends, 1/B the time of a byte. Ranks of one node exchange at
   the node's own L and B; once a domain or the gradients span nodes, the network's count, whose bandwidth the
   ranks of a node share. */
#ifndef FC_OUTLOOK_H
#define FC_OUTLOOK_H
#include "train/settings.h"

#include <stdio.h>

enum { FC_OUTLOOK_ROWS = 32 };

typedef struct fc_machine_model {
  double latency[2];   /* seconds of a message: within a node, between nodes */
  double bandwidth[2]; /* bytes a second: of a rank within a node; of a node on the network */
} fc_machine_model;

typedef struct fc_outlook_job {
  int              ranks, nodes, domain; /* domain 0: as many ranks as may share a field */
  int              ndim;
  int64_t          dim[3];
  fc_machine_model machine;
  bool             quiet;
} fc_outlook_job;

typedef struct fc_outlook_row {
  int     ranks, nodes, domain;
  int64_t samples;                                     /* per rank's group and pass */
  double  flops;                                       /* per rank and step */
  double  compute, exchange, gradients, weights, step; /* seconds */
  double  sent, messages; /* bytes and messages between the ranks of a domain, per rank and step */
  double  gradient_bytes; /* sent for the sum of gradients, per rank and step */
  double  weight_bytes;   /* sent to bring the parts of the weights together */
  int64_t memory;         /* bytes per rank: weights, optimiser, activations of the step, its batch */
} fc_outlook_row;

typedef struct fc_outlook {
  int            n;
  fc_outlook_row row[FC_OUTLOOK_ROWS];
  int64_t        probe[3];                         /* the grid of the step that ran here */
  double         probe_seconds, probe_flops, rate; /* rate: flops a second of one rank */
  int64_t        weights;
  char           ends[256]; /* why more ranks cannot share a field, "" if all could */
} fc_outlook;

/* FC_E_USAGE, FC_E_MISMATCH: the model does not work on such a grid */
fc_status fc_outlook_make(const fc_settings *s, const fc_model_def *def, const void *args,
                          const fc_outlook_job *job, fc_outlook *out);
void      fc_outlook_print(const fc_outlook *o, const fc_outlook_job *job, const char *model, FILE *f);
#endif
