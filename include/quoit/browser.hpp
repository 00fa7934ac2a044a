// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: browsing, that is, reading queued items without taking
// them.
#ifndef QUOIT_BROWSER_HPP
#define QUOIT_BROWSER_HPP

#include <quoit/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>

namespace quoit
{

// How far a process has browsed a queue. All zero: begin with the oldest item that is queued.
using browser = quoit_browser;

namespace detail
{
// Larger items are never copied to the stack. They are written where the caller wants them, or in
// the returned object, or, if T has no default constructor, first on the heap.
template <class T> inline constexpr bool is_large = sizeof(T) > QUOIT_SPSC_LARGEST_IN_SLOTS;

// The current item of a browse_range: inside the range object, or, if it is large, on the heap.
template <class T> class small_item
{
  public:
    std::optional<T> &operator*() noexcept
    {
        return item_;
    }

  private:
    std::optional<T> item_;
};
template <class T> class large_item
{
  public:
    std::optional<T> &operator*() noexcept
    {
        return *item_;
    }

  private:
    std::unique_ptr<std::optional<T>> item_ = std::make_unique<std::optional<T>>();
};
} // namespace detail

// for (const T &item : queue.browse()): the queued items, oldest first. begin() continues after the
// last item that was returned. Queue has a value_type and try_browse.
template <class Queue> class browse_range
{
  public:
    using value_type = typename Queue::value_type;

    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = typename Queue::value_type;
        using difference_type = std::ptrdiff_t;
        using pointer = const value_type *;
        using reference = const value_type &;

        iterator() = default;
        reference operator*() const noexcept
        {
            return **range_->item_;
        }
        pointer operator->() const noexcept
        {
            return &**range_->item_;
        }
        iterator &operator++()
        {
            if (!range_->advance())
                range_ = nullptr;
            return *this;
        }
        void operator++(int)
        {
            ++*this;
        }
        friend bool operator==(iterator a, iterator b) noexcept
        {
            return a.range_ == b.range_;
        }
        friend bool operator!=(iterator a, iterator b) noexcept
        {
            return !(a == b);
        }

      private:
        friend class browse_range;
        explicit iterator(browse_range *range) noexcept : range_(range)
        {
        }
        browse_range *range_ = nullptr;
    };

    explicit browse_range(const Queue &queue, browser from = {}) noexcept(!is_large)
        : queue_(&queue), browser_(from)
    {
    }
    [[nodiscard]] iterator begin()
    {
        return iterator(advance() ? this : nullptr);
    }
    [[nodiscard]] iterator end() noexcept
    {
        return iterator();
    }
    [[nodiscard]] std::uint64_t missed() const noexcept
    {
        return browser_.missed;
    }

  private:
    static constexpr bool is_large = detail::is_large<value_type>;
    bool advance()
    {
        const status s = queue_->try_browse(browser_, *item_);
        if (s < status::ok)
            detail::raise(s);
        return s == status::ok;
    }
    const Queue *queue_;
    browser browser_;
    std::conditional_t<is_large, detail::large_item<value_type>, detail::small_item<value_type>>
        item_;
};

} // namespace quoit

#endif
