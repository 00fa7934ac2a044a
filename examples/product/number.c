/* SPDX-License-Identifier: MIT */
/* Doubles as text. */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_ALWAYS_ENOUGH = 17 };

void number_format(double number, char text[NUMBER_ROOM])
{
    for (int digits = 1; digits <= DIGITS_ALWAYS_ENOUGH; digits++) {
        (void)snprintf(text, NUMBER_ROOM, "%.*g", digits, number);
        double back = strtod(text, NULL);
        if (back >= number && back <= number)
            return;
    }
}
