// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: the types that can be sent through a queue, and how an
// object of such a type is constructed.
#ifndef QUOIT_SENDABLE_HPP
#define QUOIT_SENDABLE_HPP

#include <type_traits>
#include <utility>

namespace quoit
{

template <class T>
inline constexpr bool is_sendable_v = std::is_object_v<T> && !std::is_const_v<T> &&
                                      !std::is_volatile_v<T> && std::is_trivially_copyable_v<T> &&
                                      !std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                                      !std::is_null_pointer_v<T>;
#ifdef __cpp_concepts
template <class T>
concept sendable = is_sendable_v<T>;
#endif
namespace detail
{
template <class T> struct check_sendable {
    static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>,
                  "quoit::queue<T>: T is a plain object type, without const");
    static_assert(std::is_trivially_copyable_v<T>,
                  "quoit::queue<T>: items are copied as bytes, so T must be trivially copyable; "
                  "send texts and the like through a quoit::message_queue");
    static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                      !std::is_null_pointer_v<T>,
                  "quoit::queue<T>: a pointer leads nowhere in another process; send what it "
                  "points to, or a quoit_block of a quoit::pool");
    static constexpr bool value = true;
};

// Memory for a T that is copied byte by byte.
template <class T> union room {
    room() noexcept
    {
    }
    T item;
};

// Constructs a T from these arguments; an aggregate from its members.
template <class T, class... Arguments> T make(Arguments &&...arguments)
{
    if constexpr (std::is_constructible_v<T, Arguments...>)
        return T(std::forward<Arguments>(arguments)...);
    else
        return T{std::forward<Arguments>(arguments)...};
}
} // namespace detail

} // namespace quoit

#endif
