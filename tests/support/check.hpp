// SPDX-License-Identifier: MIT
// Checks of the tests of <quoit.hpp>, which do without test.h.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <quoit.hpp>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                        \
        }                                                                        \
    } while (0)

// The code that the call throws.
#define CHECK_THROWS(call, expected)                                   \
    do {                                                               \
        quoit::status thrown = quoit::status::ok;                      \
        try {                                                          \
            (void)(call);                                              \
        } catch (const quoit::error &error) {                          \
            thrown = static_cast<quoit::status>(error.code().value()); \
        }                                                              \
        CHECK(thrown == (expected));                                   \
    } while (0)

#endif
