// SPDX-License-Identifier: MIT
// Checks of the tests of <quoit.hpp>, which do without test.h.
#ifndef QUOIT_TEST_HPP
#define QUOIT_TEST_HPP

#include <quoit.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace check
{
// A value as a failed check prints it.
template <class T> std::string shown(const T &value)
{
    if constexpr (std::is_same_v<T, quoit::status>)
        return quoit_status_name(static_cast<quoit_status>(value));
    else if constexpr (std::is_same_v<T, quoit_status>)
        return quoit_status_name(value);
    else if constexpr (std::is_same_v<T, std::error_code>)
        return std::to_string(value.value()) + ", " + value.message();
    else if constexpr (std::is_arithmetic_v<T>)
        return std::to_string(value);
    else if constexpr (std::is_convertible_v<T, std::string_view>)
        return '\'' + std::string(std::string_view(value)) + '\'';
    else
        return "a value that cannot be printed";
}

// Numbers are compared as numbers: a literal is an int.
template <class Actual, class Expected>
bool is_equal(const Actual &actual, const Expected &expected)
{
    if constexpr (std::is_arithmetic_v<Actual> && std::is_arithmetic_v<Expected>) {
        using number = std::common_type_t<Actual, Expected>;
        return static_cast<number>(actual) == static_cast<number>(expected);
    } else {
        return actual == expected;
    }
}

[[noreturn]] inline void fail(const char *file, int line, const std::string &sentence)
{
    std::fflush(stdout);
    std::fprintf(stderr, "%s:%d: %s\n", file, line, sentence.c_str());
    std::exit(1);
}

template <class Actual, class Expected>
void equal(const char *file, int line, const char *text, const Actual &actual,
           const Expected &expected)
{
    if (!is_equal(actual, expected))
        fail(file, line,
             std::string(text) + " is " + shown(actual) + "; expected: " + shown(expected));
}
} // namespace check

#define CHECK(condition)                                             \
    do {                                                             \
        if (!(condition))                                            \
            check::fail(__FILE__, __LINE__, #condition " is false"); \
    } while (0)

#define CHECK_EQ(actual, expected) check::equal(__FILE__, __LINE__, #actual, (actual), (expected))

// The code that the call throws.
#define CHECK_THROWS(call, expected)                                                              \
    do {                                                                                          \
        quoit::status thrown = quoit::status::ok;                                                 \
        try {                                                                                     \
            (void)(call);                                                                         \
        } catch (const quoit::error &error) {                                                     \
            thrown = static_cast<quoit::status>(error.code().value());                            \
        }                                                                                         \
        check::equal(__FILE__, __LINE__, "the status that " #call " throws", thrown, (expected)); \
    } while (0)

#endif
