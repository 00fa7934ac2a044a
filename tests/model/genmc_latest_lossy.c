/* SPDX-License-Identifier: MIT */
/* An observer reads the newest item while a lossy broadcast's producer overwrites the first of its
   two slots. */
#define OPS   quoit_broadcast_lossy
#define LIMIT UINT64_MAX
#include "genmc_latest.h"
