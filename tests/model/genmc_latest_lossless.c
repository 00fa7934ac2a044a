/* SPDX-License-Identifier: MIT */
/* The newest item, and a lossless broadcast's producer, which overwrites the first of its two
   slots. No subscriber holds it back. */
#define OPS   quoit_broadcast_lossless
#define LIMIT 0
#include "genmc_latest.h"
