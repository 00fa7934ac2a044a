// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about status codes and errors.
#ifndef QUOIT_STATUS_HPP
#define QUOIT_STATUS_HPP

#include <quoit.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace quoit
{

// <quoit/status.h> has the sentences. Positive: a normal state; negative: trouble.
enum class status : int {
    ok = QUOIT_OK,
    full = QUOIT_FULL,
    empty = QUOIT_EMPTY,
    timeout = QUOIT_TIMEOUT,
    closed = QUOIT_CLOSED,
    abandoned = QUOIT_ABANDONED,
    exhausted = QUOIT_EXHAUSTED,
    invalid = QUOIT_INVALID,
    name_empty = QUOIT_NAME_EMPTY,
    name_too_long = QUOIT_NAME_TOO_LONG,
    name_character = QUOIT_NAME_CHARACTER,
    scheme = QUOIT_SCHEME,
    unsupported = QUOIT_UNSUPPORTED,
    capacity = QUOIT_CAPACITY,
    item_size = QUOIT_ITEM_SIZE,
    overflow = QUOIT_OVERFLOW,
    exists = QUOIT_EXISTS,
    not_found = QUOIT_NOT_FOUND,
    permission = QUOIT_PERMISSION,
    owner = QUOIT_OWNER,
    nospace = QUOIT_NOSPACE,
    limit = QUOIT_LIMIT,
    no_memory = QUOIT_NO_MEMORY,
    not_quoit = QUOIT_NOT_QUOIT,
    version = QUOIT_VERSION,
    mismatch = QUOIT_MISMATCH,
    collision = QUOIT_COLLISION,
    corrupt = QUOIT_CORRUPT,
    busy = QUOIT_BUSY,
    role = QUOIT_ROLE,
    forked = QUOIT_FORKED,
    system = QUOIT_SYSTEM,
    stale = QUOIT_STALE,
    too_big = QUOIT_TOO_BIG
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
        return quoit_status_text(static_cast<quoit_status>(code));
    }
    // So that code == std::errc::timed_out holds too.
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
        case status::nospace:
            return std::errc::no_space_on_device;
        case status::no_memory:
            return std::errc::not_enough_memory;
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

// code() is a quoit::status; what() names the thing, the value and what would be right.
class error : public std::system_error
{
  public:
    explicit error(status s) : error(s, s < status::ok ? quoit_error_text() : "")
    {
    }
    error(status s, const std::string &text)
        : std::system_error(make_error_code(s), text.empty() ? "quoit" : text)
    {
    }
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
