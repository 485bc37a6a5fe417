/* cli/train_config.h - what train and submit do alike with the configuration they are given. */
#ifndef FC_CLI_TRAIN_CONFIG_H
#define FC_CLI_TRAIN_CONFIG_H
#include "cli/cli.h"
#include "core/config.h"

/* runs/NAME for a configuration .../NAME.yaml */
void fc_default_folder(const char *config, char *out, size_t size);
/* the file, overridden by what --set gave */
fc_status fc_load_config(const char *path, const fc_list *set, fc_config **out);
#endif
