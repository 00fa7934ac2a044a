// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: the calls on one item or message, which differ only in
// its type.
#ifndef QUOIT_QUEUE_CALLS_HPP
#define QUOIT_QUEUE_CALLS_HPP

#include <quoit/browser.hpp>
#include <quoit/handle.hpp>
#include <quoit/in_place.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

// A compiler that does not know the attribute, such as Microsoft's, warns of it.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(gnu::always_inline)
#define QUOIT_ALWAYS_INLINE [[gnu::always_inline]]
#endif
#endif
#ifndef QUOIT_ALWAYS_INLINE
#define QUOIT_ALWAYS_INLINE
#endif

namespace quoit
{
namespace detail
{

// Queue derives from this, and has copy_in(argument, timeout_ns) and take(optional, timeout_ns).
// Types has value_type (the result of pop), argument (of push), reference (the result of front()),
// peeked (the result of peek()), view(bytes, count), which returns a reference, and
// check_in_place().
template <class Queue, class Types> class queue_calls : public queue_makers<Queue>
{
  public:
    using value_type = typename Types::value_type;
    using reference = typename Types::reference;
    using const_reference = reference;
    using size_type = std::uint64_t;

    void swap(Queue &other) noexcept
    {
        Queue mine = std::move(self());
        self() = std::move(other);
        other = std::move(mine);
    }

    // ---- Copying one in. ok full finished abandoned; a message also too_big ----------------- //

    [[nodiscard]] QUOIT_ALWAYS_INLINE status try_push(typename Types::argument item) noexcept
    {
        return self().copy_in(item, QUOIT_NOW);
    }
    [[nodiscard]] status try_push_for(typename Types::argument item, timeout t) noexcept
    {
        return self().copy_in(item, t.ns());
    }
    void push(typename Types::argument item, timeout t = forever)
    {
        detail::check(self().copy_in(item, t.ns()));
    }

    // ---- Copying one out: nothing if there is none, or the stream has ended ----------------- //

    [[nodiscard]] std::optional<value_type> try_pop()
    {
        std::optional<value_type> item;
        check_taken(self().take(item, QUOIT_NOW));
        return item;
    }
    [[nodiscard]] std::optional<value_type> pop_for(timeout t)
    {
        std::optional<value_type> item;
        check_taken(self().take(item, t.ns()));
        return item;
    }
    // As pop, but returns nothing at the end of the stream.
    [[nodiscard]] std::optional<value_type> next(timeout t = forever)
    {
        std::optional<value_type> item;
        const status s = self().take(item, t.ns());
        if (s != status::finished)
            detail::check(s);
        return item;
    }

    // ---- In place: <quoit/in_place.hpp> ----------------------------------------------------- //

    typename Types::peeked peek(timeout t = forever)
    {
        typename Types::peeked item = try_peek_for(t);
        detail::check(item.code());
        return item;
    }
    typename Types::peeked try_peek() noexcept
    {
        return try_peek_for(std::chrono::seconds(0));
    }
    typename Types::peeked try_peek_for(timeout t) noexcept
    {
        const void *item = nullptr;
        std::size_t bytes = 0;
        const quoit_status s = peek_raw(item, bytes, t.ns());
        return typename Types::peeked(this->raw(), s, item, bytes);
    }

    // Returns the next item or message, which stays until pop() or release() takes it. Throws
    // status::empty if there is none.
    [[nodiscard]] reference front()
    {
        const void *item = nullptr;
        std::size_t bytes = 0;
        detail::check(from(peek_raw(item, bytes, QUOIT_NOW)));
        return Types::view(item, bytes);
    }

    // ---- Browsing: any flags ---------------------------------------------------------------- //

    [[nodiscard]] browse_range<Queue> browse(browser at = {}) const
    {
        return browse_range<Queue>(static_cast<const Queue &>(*this), at);
    }

  protected:
    queue_calls() = default;
    explicit queue_calls(quoit_queue *q) noexcept : queue_makers<Queue>(q)
    {
    }
    quoit_status peek_raw(const void *&item_out, std::size_t &bytes_out,
                          std::int64_t timeout_ns) noexcept
    {
        Types::check_in_place();
        return quoit_queue_peek(this->raw(), &item_out, &bytes_out, timeout_ns);
    }

  private:
    Queue &self() noexcept
    {
        return static_cast<Queue &>(*this);
    }
};

} // namespace detail
} // namespace quoit

#endif
