// SPDX-License-Identifier: MIT
/*
 * Quoit for C++17 and later: <quoit.h> as move-only handles. It is header-only; link with the C
 * library. <quoit.h> explains the calls and their concurrency. Read its beginning first.
 *
 *     quoit::queue<product> queue = quoit::queue<product>::join("products", {5}, quoit::producer);
 *     queue.push(product{1, 0.5});                        waits for room; throws quoit::error
 *     if (queue.try_push(item) == quoit::status::full)    does not wait and does not throw
 *     while (std::optional<product> item = queue.next())  until the stream ends
 *
 * WAITING    push, pop, claim and peek wait without a limit, or for the time-out that you give. The
 *            try_... forms do not wait. The ..._for forms wait for their time-out.
 * ERRORS     The try_... forms are noexcept, and return a quoit::status or an object that has one.
 *            Two forms return an optional: try_pop() and pop_for(time). They return nothing if
 *            there is no item, or the stream has ended, and throw every other status, such as
 *            status::abandoned. All other calls throw quoit::error if they do not succeed. create,
 *            open and join also have a form that sets a std::error_code, and in C++23 a try_...
 *            form that returns a std::expected. Without exceptions (-fno-exceptions) the program
 *            ends where an exception would be thrown.
 * EMPTY      Calls on a default constructed or moved-from handle return or throw status::invalid.
 */
#ifndef QUOIT_HPP
#define QUOIT_HPP

#include <quoit.h>
#include <quoit/browser.hpp>
#include <quoit/handle.hpp>
#include <quoit/in_place.hpp>
#include <quoit/queue_calls.hpp>
#include <quoit/sendable.hpp>
#include <quoit/span.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace quoit
{

// ---- Queues of items ------------------------------------------------------------------------ //

namespace detail
{
template <class T> struct item_types {
    using value_type = T;
    using argument = const T &;
    using reference = const T &;
    using peeked = quoit::peeked<T>;
    static constexpr std::size_t in_place_align = 4096;

    static reference view(const void *item, std::size_t) noexcept
    {
        return *static_cast<const T *>(item);
    }
    static constexpr void check_in_place() noexcept
    {
        static_assert(alignof(T) <= in_place_align,
                      "items are aligned to at most 4096 bytes in a queue: this type can "
                      "be pushed and popped, but not used in place");
    }
};
} // namespace detail

// Has the calls of std::queue: push, emplace, front, pop, size, empty, swap. pop waits, and returns
// the item. There is no back(), since another process may take that item at any time.
template <class T> class queue : public detail::queue_calls<queue<T>, detail::item_types<T>>
{
    static_assert(detail::check_sendable<T>::value);
    using types = detail::item_types<T>;
    using base = detail::queue_calls<queue<T>, types>;

  public:
    using base::try_pop;
    queue() = default; // empty: may be assigned to

    // ---- Copying one item ------------------------------------------------------------------- //

    // Pushes an item that is constructed from these arguments; a large one is constructed in the
    // queue.
    template <class... Arguments> void emplace(Arguments &&...arguments)
    {
        if constexpr (is_large && alignof(T) <= types::in_place_align) {
            claimed<T> room = claim();
            ::new (static_cast<void *>(room.get()))
                T(detail::make<T>(std::forward<Arguments>(arguments)...));
            room.commit();
        } else if constexpr (is_large) {
            this->push(
                *std::unique_ptr<T>(new T(detail::make<T>(std::forward<Arguments>(arguments)...))));
        } else {
            this->push(detail::make<T>(std::forward<Arguments>(arguments)...));
        }
    }

    // Returns ok, empty, finished or abandoned.
    [[nodiscard]] QUOIT_ALWAYS_INLINE status try_pop(T &item_out) noexcept
    {
        return copy_out(item_out, QUOIT_NOW);
    }
    [[nodiscard]] status try_pop_for(T &item_out, timeout t) noexcept
    {
        return copy_out(item_out, t.ns());
    }
    // Like the calls that return an optional, it writes a large item into the object that receives
    // it: new T(queue.pop()) uses only the heap.
    T pop(timeout t = forever)
    {
        if constexpr (is_large && std::is_default_constructible_v<T>) {
            return pop_large(t);
        } else if constexpr (is_large) {
            const auto copy = std::make_unique<detail::room<T>>();
            detail::check(try_pop_for(copy->item, t));
            return copy->item;
        } else {
            detail::room<T> copy;
            detail::check(try_pop_for(copy.item, t));
            return copy.item;
        }
    }
#ifdef __cpp_lib_expected
    [[nodiscard]] std::expected<T, status> expect_pop(timeout t = forever)
    {
        if constexpr (std::is_default_constructible_v<T>) {
            return expect_default(t);
        } else {
            const auto copy = std::make_unique<detail::room<T>>();
            const status s = try_pop_for(copy->item, t);
            if (s != status::ok)
                return std::unexpected(s);
            return copy->item;
        }
    }
#endif

    // ---- Copying many: they wait for the first, then take as many as possible --------------- //

    [[nodiscard]] counted try_push_many(span<const T> items) noexcept
    {
        return copy_many_in(items, QUOIT_NOW);
    }
    [[nodiscard]] counted try_push_many_for(span<const T> items, timeout t) noexcept
    {
        return copy_many_in(items, t.ns());
    }
    std::size_t push_many(span<const T> items, timeout t = forever)
    {
        const counted done = copy_many_in(items, t.ns());
        detail::check(done.code);
        return done.count;
    }
    [[nodiscard]] counted try_pop_many(span<T> items_out) noexcept
    {
        return copy_many_out(items_out, QUOIT_NOW);
    }
    [[nodiscard]] counted try_pop_many_for(span<T> items_out, timeout t) noexcept
    {
        return copy_many_out(items_out, t.ns());
    }
    [[nodiscard]] std::size_t pop_many(span<T> items_out, timeout t = forever)
    {
        const counted done = copy_many_out(items_out, t.ns());
        detail::check(done.code);
        return done.count;
    }

    // ---- In place: <quoit/in_place.hpp> ----------------------------------------------------- //

    claimed<T> claim(timeout t = forever)
    {
        claimed<T> room = try_claim_for(t);
        detail::check(room.code());
        return room;
    }
    claimed<T> try_claim() noexcept
    {
        return try_claim_for(std::chrono::seconds(0));
    }
    claimed<T> try_claim_for(timeout t) noexcept
    {
        types::check_in_place();
        void *room = nullptr;
        const quoit_status s = quoit_queue_claim(this->raw(), sizeof(T), &room, t.ns());
        return claimed<T>(this->raw(), s, room);
    }
    claimed_many<T> claim_many(std::size_t wanted, timeout t = forever)
    {
        claimed_many<T> room = try_claim_many_for(wanted, t);
        detail::check(room.code());
        return room;
    }
    claimed_many<T> try_claim_many(std::size_t wanted) noexcept
    {
        return try_claim_many_for(wanted, std::chrono::seconds(0));
    }
    claimed_many<T> try_claim_many_for(std::size_t wanted, timeout t) noexcept
    {
        types::check_in_place();
        void *items = nullptr;
        std::size_t count = 0;
        const quoit_status s = quoit_queue_claim_many(this->raw(), wanted, &items, &count, t.ns());
        return claimed_many<T>(this->raw(), s, items, count);
    }

    peeked_many<T> peek_many(timeout t = forever)
    {
        peeked_many<T> items = try_peek_many_for(t);
        detail::check(items.code());
        return items;
    }
    peeked_many<T> try_peek_many() noexcept
    {
        return try_peek_many_for(std::chrono::seconds(0));
    }
    peeked_many<T> try_peek_many_for(timeout t) noexcept
    {
        types::check_in_place();
        const void *items = nullptr;
        std::size_t count = 0;
        const quoit_status s = quoit_queue_peek_many(this->raw(), &items, &count, t.ns());
        return peeked_many<T>(this->raw(), s, items, count);
    }

    // Calls function(const T &) with each queued item, in place. Does not wait. Returns how many
    // items there were. An item is taken when function has returned. If it throws, the item stays.
    template <class Function> std::uint64_t consume_all(Function &&function)
    {
        std::uint64_t count = 0;
        for (;;) {
            peeked_many<T> items = try_peek_many();
            if (!items) {
                detail::check_taken(items.code());
                return count;
            }
            items.keep();
            for (const T &item : items) {
                function(item);
                detail::check(quoit_queue_release_many(this->raw(), 1));
                count++;
            }
        }
    }

    // ---- The newest item of a broadcast: any flags; it stays. ok empty busy ------------------ //

    [[nodiscard]] status try_latest(T &item_out) const noexcept
    {
        return detail::from(quoit_queue_latest(this->raw(), &item_out, sizeof(T), nullptr));
    }
    // Returns nothing if there never was an item.
    [[nodiscard]] std::optional<T> latest() const
    {
        std::optional<T> item;
        detail::check_taken(fill(item, [this](T &room) { return try_latest(room); }));
        return item;
    }

    // ---- Browsing: any flags. ok empty finished; the browser moves on ----------------------- //

    [[nodiscard]] status try_browse(browser &b, std::optional<T> &item_out) const noexcept
    {
        return fill(item_out, [this, &b](T &room) {
            return detail::from(quoit_queue_browse(this->raw(), &b, &room, sizeof(T), nullptr));
        });
    }

  private:
    friend detail::queue_makers_base<queue<T>>;
    friend detail::queue_makers<queue<T>>;
    friend base;
    explicit queue(quoit_queue *q) noexcept : base(q)
    {
    }
    static constexpr bool messages = false;
    static constexpr bool is_large = detail::is_large<T>;

    // Always inlined: clang counts the slow path as well, and would not inline it.
    QUOIT_ALWAYS_INLINE status copy_in(const T &item, std::int64_t timeout_ns) noexcept
    {
        quoit_queue *const q = this->raw();
        if (q && quoit_spsc_push(&q->producer, &item, sizeof(T))) {
            quoit_queue_pushed(q);
            return status::ok;
        }
        if constexpr (is_large) {
            return push_slow(q, &item, timeout_ns);
        } else {
            detail::room<T> copy; // lets the caller's item stay in registers
            std::memcpy(static_cast<void *>(&copy.item), &item, sizeof(T));
            return push_slow(q, &copy.item, timeout_ns);
        }
    }
    static status push_slow(quoit_queue *q, const void *item, std::int64_t timeout_ns) noexcept
    {
        return detail::from(quoit_queue_push_slow(q, item, sizeof(T), timeout_ns));
    }
    QUOIT_ALWAYS_INLINE status copy_out(T &item_out, std::int64_t timeout_ns) noexcept
    {
        quoit_queue *const q = this->raw();
        if (q && quoit_spsc_pop(&q->consumer, &item_out, sizeof(T))) {
            quoit_queue_popped(q);
            return status::ok;
        }
        if constexpr (is_large) {
            return pop_slow(q, &item_out, timeout_ns);
        } else {
            detail::room<T> copy;
            const status s = pop_slow(q, &copy.item, timeout_ns);
            if (s == status::ok)
                std::memcpy(static_cast<void *>(&item_out), &copy.item, sizeof(T));
            return s;
        }
    }
    static status pop_slow(quoit_queue *q, void *item_out, std::int64_t timeout_ns) noexcept
    {
        return detail::from(quoit_queue_pop_slow(q, item_out, sizeof(T), nullptr, timeout_ns));
    }
    counted copy_many_in(span<const T> items, std::int64_t timeout_ns) noexcept
    {
        quoit_queue *const q = this->raw();
        const std::size_t count = items.size();
        std::size_t done = q ? static_cast<std::size_t>(quoit_spsc_push_some(
                                   &q->producer, items.data(), count, sizeof(T)))
                             : 0;
        if (done < count || count == 0) {
            const quoit_status s = quoit_queue_push_rest(q, items.data(), sizeof(T), count, done,
                                                         &done, timeout_ns);
            return {detail::from(s), done};
        }
        quoit_queue_pushed(q);
        return {status::ok, done};
    }
    counted copy_many_out(span<T> items_out, std::int64_t timeout_ns) noexcept
    {
        quoit_queue *const q = this->raw();
        const std::size_t count = items_out.size();
        std::size_t done = q ? static_cast<std::size_t>(quoit_spsc_pop_some(
                                   &q->consumer, items_out.data(), count, sizeof(T)))
                             : 0;
        if (done < count || count == 0) {
            const quoit_status s = quoit_queue_pop_rest(q, items_out.data(), sizeof(T), count, done,
                                                        &done, timeout_ns);
            return {detail::from(s), done};
        }
        quoit_queue_popped(q);
        return {status::ok, done};
    }

    // Separate functions, since g++ constructs `item` in the caller's object only in the outermost
    // block.
    T pop_large(timeout t)
    {
        T item;
        detail::check(try_pop_for(item, t));
        return item;
    }
#ifdef __cpp_lib_expected
    std::expected<T, status> expect_default(timeout t)
    {
        std::expected<T, status> item;
        const status s = try_pop_for(*item, t);
        if (s != status::ok)
            item = std::unexpected(s);
        return item;
    }
#endif
    // Calls get(T &), which writes an item. A large item is written in item_out itself, which is
    // empty unless get returns ok. Each call zeroes it first, so try_pop(T &) is better for
    // polling.
    template <class Get> static status fill(std::optional<T> &item_out, Get get)
    {
        if constexpr (is_large && std::is_default_constructible_v<T>) {
            if (!item_out)
                item_out.emplace();
            const status s = get(*item_out);
            if (s != status::ok)
                item_out.reset();
            return s;
        } else if constexpr (is_large) {
            const auto copy = std::unique_ptr<detail::room<T>>(new (std::nothrow) detail::room<T>);
            const status s = copy ? get(copy->item) : status::no_memory;
            if (s == status::ok)
                item_out.emplace(copy->item);
            return s;
        } else {
            detail::room<T> copy;
            const status s = get(copy.item);
            if (s == status::ok)
                item_out.emplace(copy.item);
            return s;
        }
    }
    status take(std::optional<T> &item_out, std::int64_t timeout_ns)
    {
        return fill(item_out, [this, timeout_ns](T &room) { return copy_out(room, timeout_ns); });
    }

    static constexpr std::uint64_t item_bytes(const options &) noexcept
    {
        return sizeof(T);
    }
    static constexpr std::uint32_t item_align() noexcept
    {
        constexpr std::size_t most = types::in_place_align;
        return static_cast<std::uint32_t>(alignof(T) < most ? alignof(T) : most);
    }
    static quoit_status check_type(const quoit_queue *q) noexcept
    {
        return quoit_queue_check_typed(q, QUOIT_INLINE_LAYOUT, sizeof(T), item_align(), "");
    }
    static bool fits(const quoit_queue_info &info) noexcept
    {
        return !info.messages && info.item_bytes == sizeof(T);
    }
    static std::string describe()
    {
        return "quoit::queue of items of " + std::to_string(sizeof(T)) + " bytes";
    }
};

} // namespace quoit
#include <quoit/lock.hpp>
#include <quoit/message_queue.hpp>
#include <quoit/pool.hpp>
#include <quoit/region.hpp>
#include <quoit/semaphore.hpp>

#endif
