// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: statuses and errors.
#ifndef QUOIT_STATUS_HPP
#define QUOIT_STATUS_HPP

#include <quoit/status.h>

#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace quoit
{

// <quoit/status.h> explains them. A positive status is a normal answer, a negative one an error.
enum class status : int {
    ok = QUOIT_OK,
    full = QUOIT_FULL,
    empty = QUOIT_EMPTY,
    timeout = QUOIT_TIMEOUT,
    finished = QUOIT_FINISHED,
    abandoned = QUOIT_ABANDONED,
    interrupted = QUOIT_INTERRUPTED,
    exhausted = QUOIT_EXHAUSTED,
    invalid = QUOIT_ERROR_INVALID,
    name = QUOIT_ERROR_NAME,
    unsupported = QUOIT_ERROR_UNSUPPORTED,
    exists = QUOIT_ERROR_EXISTS,
    not_found = QUOIT_ERROR_NOT_FOUND,
    permission = QUOIT_ERROR_PERMISSION,
    other_user = QUOIT_ERROR_OTHER_USER,
    no_space = QUOIT_ERROR_NO_SPACE,
    no_memory = QUOIT_ERROR_NO_MEMORY,
    limit = QUOIT_ERROR_LIMIT,
    not_quoit = QUOIT_ERROR_NOT_QUOIT,
    format = QUOIT_ERROR_FORMAT,
    different = QUOIT_ERROR_DIFFERENT,
    too_big = QUOIT_ERROR_TOO_BIG,
    role_taken = QUOIT_ERROR_ROLE_TAKEN,
    busy = QUOIT_ERROR_BUSY,
    wrong_role = QUOIT_ERROR_WRONG_ROLE,
    forked = QUOIT_ERROR_FORKED,
    corrupt = QUOIT_ERROR_CORRUPT,
    system = QUOIT_ERROR_SYSTEM,
    not_yours = QUOIT_ERROR_NOT_YOURS,
    removed = QUOIT_ERROR_REMOVED
};

class error_category final : public std::error_category
{
  public:
    const char *name() const noexcept override
    {
        return "quoit";
    }
    std::string message(int code) const override
    {
        return quoit_describe(static_cast<quoit_status>(code));
    }
    // Makes code == std::errc::timed_out true.
    std::error_condition default_error_condition(int code) const noexcept override
    {
        switch (static_cast<status>(code)) {
        case status::timeout:
            return std::errc::timed_out;
        case status::invalid:
            return std::errc::invalid_argument;
        case status::unsupported:
            return std::errc::not_supported;
        case status::exists:
            return std::errc::file_exists;
        case status::not_found:
            return std::errc::no_such_file_or_directory;
        case status::permission:
            return std::errc::permission_denied;
        case status::no_space:
            return std::errc::no_space_on_device;
        case status::no_memory:
            return std::errc::not_enough_memory;
        case status::role_taken:
        case status::busy:
            return std::errc::device_or_resource_busy;
        case status::too_big:
            return std::errc::message_size;
        default:
            return std::error_condition(code, *this);
        }
    }
};

inline const std::error_category &category() noexcept
{
    static const error_category instance;
    return instance;
}
inline std::error_code make_error_code(status s) noexcept
{
    return std::error_code(static_cast<int>(s), category());
}

} // namespace quoit
template <> struct std::is_error_code_enum<quoit::status> : std::true_type {
};
namespace quoit
{

// code() returns a quoit::status. what() returns the sentence of quoit_describe, which names the
// object, the value and the remedy.
class error : public std::system_error
{
  public:
    explicit error(status s) : error(s, quoit_describe(static_cast<quoit_status>(s)))
    {
    }
    error(status s, const std::string &sentence)
        : std::system_error(make_error_code(s)), sentence_(sentence)
    {
    }
    const char *what() const noexcept override
    {
        return sentence_.what();
    }

  private:
    std::runtime_error sentence_; // copying it cannot fail, as an exception requires
};

namespace detail
{
template <class... Arguments> [[noreturn]] void raise(Arguments &&...arguments)
{
#ifdef __cpp_exceptions
    throw error(std::forward<Arguments>(arguments)...);
#else
    (void)std::initializer_list<int>{((void)arguments, 0)...};
    std::abort();
#endif
}
constexpr status from(quoit_status s) noexcept
{
    return static_cast<status>(s);
}
inline void check(status s)
{
    if (s != status::ok)
        raise(s);
}
inline void check(quoit_status s)
{
    check(from(s));
}
} // namespace detail

} // namespace quoit

#endif
