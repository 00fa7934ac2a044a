/* SPDX-License-Identifier: MIT */
/* The newest item, and a lossy broadcast's producer, which overwrites the first of its two
   slots. */
#define OPS   quoit_broadcast_lossy
#define LIMIT UINT64_MAX
#include "genmc_latest.h"
