/* SPDX-License-Identifier: MIT */
/* The processor that a measurement of `quoit bench` runs on. */
#ifndef QUOIT_TOOLS_PIN_H
#define QUOIT_TOOLS_PIN_H

/* Pins this process to one processor, the index-th of those that it may use, if the system allows
   it. Returns the number of those processors, or 0 if it is unknown. */
unsigned bench_pin(unsigned index);
/* Undoes bench_pin. A process that is started now is not pinned either. */
void bench_unpin(void);

#endif
