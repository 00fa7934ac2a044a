/* SPDX-License-Identifier: MIT */
#ifndef PRODUCT_NUMBER_H
#define PRODUCT_NUMBER_H

enum { NUMBER_ROOM = 32 };

/* The fewest digits that, rounded as printf does, read back as the same double. */
void number_format(double number, char text[NUMBER_ROOM]);

#endif
