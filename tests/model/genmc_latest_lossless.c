/* SPDX-License-Identifier: MIT */
/* An observer reads the newest item while a lossless broadcast's producer overwrites the first of
   its two slots. No subscriber holds the producer back. */
#define OPS   quoit_broadcast_lossless
#define LIMIT 0
#include "genmc_latest.h"
