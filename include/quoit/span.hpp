// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: quoit::span, items one behind the other. It is std::span
// if the standard library has it (C++20), and otherwise the few functions of it that are used here.
#ifndef QUOIT_SPAN_HPP
#define QUOIT_SPAN_HPP

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif

namespace quoit
{

#ifdef __cpp_lib_span
template <class T> using span = std::span<T>;
#else
template <class T> class span
{
  public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;

    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }
    // From anything with data() and size(), and from arrays.
    template <
        class Items,
        class = std::enable_if_t<std::is_convertible_v<
            std::remove_pointer_t<decltype(std::data(std::declval<Items &>()))> (*)[], T (*)[]>>>
    constexpr span(Items &&items) noexcept : data_(std::data(items)), size_(std::size(items))
    {
    }
    constexpr T *data() const noexcept
    {
        return data_;
    }
    constexpr std::size_t size() const noexcept
    {
        return size_;
    }
    constexpr bool empty() const noexcept
    {
        return size_ == 0;
    }
    constexpr T *begin() const noexcept
    {
        return data_;
    }
    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }
    constexpr T &operator[](std::size_t at) const noexcept
    {
        return data_[at];
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};
#endif

} // namespace quoit

#endif
