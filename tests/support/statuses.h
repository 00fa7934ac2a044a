/* SPDX-License-Identifier: MIT */
/* Every status and its number, a second time: a change of a number breaks programs and files that
   keep it. */
#ifndef STATUSES_H
#define STATUSES_H

#define TEST_STATUSES(X)           \
    X(QUOIT_OK, 0)                 \
    X(QUOIT_FULL, 1)               \
    X(QUOIT_EMPTY, 2)              \
    X(QUOIT_TIMEOUT, 3)            \
    X(QUOIT_FINISHED, 4)           \
    X(QUOIT_ABANDONED, 5)          \
    X(QUOIT_INTERRUPTED, 6)        \
    X(QUOIT_EXHAUSTED, 7)          \
    X(QUOIT_ERROR_INVALID, -1)     \
    X(QUOIT_ERROR_NAME, -2)        \
    X(QUOIT_ERROR_UNSUPPORTED, -3) \
    X(QUOIT_ERROR_EXISTS, -4)      \
    X(QUOIT_ERROR_NOT_FOUND, -5)   \
    X(QUOIT_ERROR_PERMISSION, -6)  \
    X(QUOIT_ERROR_OTHER_USER, -7)  \
    X(QUOIT_ERROR_NO_SPACE, -8)    \
    X(QUOIT_ERROR_NO_MEMORY, -9)   \
    X(QUOIT_ERROR_LIMIT, -10)      \
    X(QUOIT_ERROR_NOT_QUOIT, -11)  \
    X(QUOIT_ERROR_FORMAT, -12)     \
    X(QUOIT_ERROR_DIFFERENT, -13)  \
    X(QUOIT_ERROR_TOO_BIG, -14)    \
    X(QUOIT_ERROR_ROLE_TAKEN, -15) \
    X(QUOIT_ERROR_BUSY, -16)       \
    X(QUOIT_ERROR_WRONG_ROLE, -17) \
    X(QUOIT_ERROR_FORKED, -18)     \
    X(QUOIT_ERROR_CORRUPT, -19)    \
    X(QUOIT_ERROR_SYSTEM, -20)     \
    X(QUOIT_ERROR_NOT_YOURS, -21)  \
    X(QUOIT_ERROR_REMOVED, -22)

#endif
