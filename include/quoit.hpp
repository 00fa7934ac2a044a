// SPDX-License-Identifier: MIT
/*
 * Quoit for C++17: <quoit.h> as move-only handles. Header-only; link with the C library. What the
 * calls mean, what may overlap with what, and the caveats are told there.
 *
 *     quoit::queue<product> queue = quoit::queue<product>::join("products", {5}, quoit::producer);
 *     queue.push(product{1, 0.5});                        waits for room; throws quoit::error
 *     if (queue.try_push(item) == quoit::status::full)    never waits, never throws
 *
 *     while (std::optional<product> item = queue.next())  until the stream ends
 *
 * EXCEPTIONS OR STATUS, by the name: try_… return a quoit::status, are noexcept, and neither wait
 * (but for try_…_for) nor throw. Other calls throw quoit::error where they did not do what they
 * say; create, open and join have a form that sets a std::error_code instead. Without exceptions
 * (-fno-exceptions) what would throw ends the program.
 */
#ifndef QUOIT_HPP
#define QUOIT_HPP

#include <quoit.h>
#include <quoit/queue_handle.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>

namespace quoit
{

namespace detail
{
template <class T> struct sendable {
    static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>,
                  "quoit::queue<T>: T is a plain object type, without const");
    static_assert(std::is_trivially_copyable_v<T>,
                  "quoit::queue<T>: items are copied as bytes, so T must be trivially copyable; "
                  "send texts and the like through a quoit::sized_queue");
    static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                      !std::is_null_pointer_v<T>,
                  "quoit::queue<T>: a pointer leads nowhere in another process; send what it "
                  "points to, or a quoit_block of a quoit::pool");
    static constexpr bool value = true;
};

// Room for a T that is made by a copy of its bytes.
template <class T> union room {
    room() noexcept
    {
    }
    T item;
};

// Items beyond this size are never copied to the stack. They lie where the caller has them, in the
// returned object itself, or, if T has no default constructor, on the heap in between.
template <class T> inline constexpr bool is_large = sizeof(T) > QUOIT_SPSC_LARGEST_IN_SLOTS;

// A watcher's item: inside the watcher, which is on its user's stack, or if large on the heap.
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

// ---- Watching: for (const T &item : queue.watch()) ------------------------------------------ //

// The items that are queued, oldest first, without taking them; begin() goes on where the last loop
// ended, with what came since. Queue has a value_type and try_look.
template <class Queue> class watcher
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
            return **watcher_->item_;
        }
        pointer operator->() const noexcept
        {
            return &**watcher_->item_;
        }
        iterator &operator++()
        {
            if (!watcher_->advance())
                watcher_ = nullptr;
            return *this;
        }
        void operator++(int)
        {
            ++*this;
        }
        friend bool operator==(iterator a, iterator b) noexcept
        {
            return a.watcher_ == b.watcher_;
        }
        friend bool operator!=(iterator a, iterator b) noexcept
        {
            return !(a == b);
        }

      private:
        friend class watcher;
        explicit iterator(watcher *w) noexcept : watcher_(w)
        {
        }
        watcher *watcher_ = nullptr;
    };

    explicit watcher(const Queue &queue, quoit_cursor from = {}) noexcept(!is_large)
        : queue_(&queue), cursor_(from)
    {
    }
    iterator begin()
    {
        return iterator(advance() ? this : nullptr);
    }
    iterator end() noexcept
    {
        return iterator();
    }
    std::uint64_t missed() const noexcept
    {
        return cursor_.missed;
    }

  private:
    static constexpr bool is_large = detail::is_large<value_type>;
    bool advance()
    {
        const status s = queue_->try_look(cursor_, *item_);
        if (s < status::ok)
            detail::raise(s);
        return s == status::ok;
    }
    const Queue *queue_;
    quoit_cursor cursor_;
    std::conditional_t<is_large, detail::large_item<value_type>, detail::small_item<value_type>>
        item_;
};

// ---- Queues of items ------------------------------------------------------------------------ //

template <class T> class queue : public detail::makers<queue<T>>
{
    static_assert(detail::sendable<T>::value);

  public:
    using value_type = T;
    queue() = default; // empty: only to be assigned to

    // Never block. ok full finished; ok empty finished. Inlined by force: clang would weigh the
    // slow path with the fast one, and call.
    [[gnu::always_inline]] status try_push(const T &item) noexcept
    {
        if (quoit_spsc_push(&this->raw()->producer, &item, sizeof(T))) {
            quoit_queue_pushed(this->raw());
            return status::ok;
        }
        if constexpr (is_large) {
            return detail::from(quoit_queue_push_slow(this->raw(), &item, sizeof(T)));
        } else {
            detail::room<T> copy; // so that the caller's may stay in registers
            std::memcpy(static_cast<void *>(&copy.item), &item, sizeof(T));
            return detail::from(quoit_queue_push_slow(this->raw(), &copy.item, sizeof(T)));
        }
    }
    [[gnu::always_inline]] status try_pop(T &item_out) noexcept
    {
        if (quoit_spsc_pop(&this->raw()->consumer, &item_out, sizeof(T))) {
            quoit_queue_popped(this->raw());
            return status::ok;
        }
        if constexpr (is_large) {
            return detail::from(quoit_queue_pop_slow(this->raw(), &item_out, sizeof(T)));
        } else {
            detail::room<T> copy;
            const quoit_status s = quoit_queue_pop_slow(this->raw(), &copy.item, sizeof(T));
            if (s == QUOIT_OK)
                std::memcpy(static_cast<void *>(&item_out), &copy.item, sizeof(T));
            return detail::from(s);
        }
    }
    // ok timeout finished abandoned.
    status try_push_for(const T &item, timeout t) noexcept
    {
        const status s = try_push(item);
        if (s != status::full)
            return s;
        if constexpr (is_large) {
            return detail::from(quoit_queue_push_wait_slow(this->raw(), &item, sizeof(T), t.ns()));
        } else {
            detail::room<T> copy;
            std::memcpy(static_cast<void *>(&copy.item), &item, sizeof(T));
            return detail::from(
                quoit_queue_push_wait_slow(this->raw(), &copy.item, sizeof(T), t.ns()));
        }
    }
    status try_pop_for(T &item_out, timeout t) noexcept
    {
        const status s = try_pop(item_out);
        if (s != status::empty)
            return s;
        if constexpr (is_large) {
            return detail::from(
                quoit_queue_pop_wait_slow(this->raw(), &item_out, sizeof(T), t.ns()));
        } else {
            detail::room<T> copy;
            const quoit_status waited = quoit_queue_pop_wait_slow(this->raw(), &copy.item,
                                                                  sizeof(T), t.ns());
            if (waited == QUOIT_OK)
                std::memcpy(static_cast<void *>(&item_out), &copy.item, sizeof(T));
            return detail::from(waited);
        }
    }
    // Nothing if the queue is empty or the stream has ended; throws on trouble alone. These four
    // return a large item in the object that receives it: new T(queue.pop()) is on the heap only.
    std::optional<T> try_pop()
    {
        std::optional<T> item;
        const status s = fill(item, [this](T &room) { return try_pop(room); });
        if (s < status::ok)
            detail::raise(s);
        return item;
    }

    void push(const T &item, timeout t = forever)
    {
        detail::check(try_push_for(item, t));
    }
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
    // pop, but nothing at the end of the stream.
    std::optional<T> next(timeout t = forever)
    {
        std::optional<T> item;
        const status s = fill(item, [this, t](T &room) { return try_pop_for(room, t); });
        if (s != status::finished)
            detail::check(s);
        return item;
    }

    // As many as there is room for, or as are there; returns how many.
    std::uint64_t push_many(const T *items, std::uint64_t count) noexcept
    {
        const std::uint64_t done = quoit_spsc_push_some(&this->raw()->producer, items, count,
                                                        sizeof(T));
        if (done < count || count == 0)
            return quoit_queue_push_rest(this->raw(), items, count, done, sizeof(T));
        quoit_queue_pushed(this->raw());
        return count;
    }
    std::uint64_t pop_many(T *items_out, std::uint64_t count) noexcept
    {
        const std::uint64_t done = quoit_spsc_pop_some(&this->raw()->consumer, items_out, count,
                                                       sizeof(T));
        if (done < count || count == 0)
            return quoit_queue_pop_rest(this->raw(), items_out, count, done, sizeof(T));
        quoit_queue_popped(this->raw());
        return count;
    }
    // Of anything with data() and size(), and of arrays.
    template <class Items> std::uint64_t push_many(const Items &items) noexcept
    {
        return push_many(std::data(items), std::size(items));
    }
    template <class Items> std::uint64_t pop_many(Items &items_out) noexcept
    {
        return pop_many(std::data(items_out), std::size(items_out));
    }

    // In place: room for up to `wanted`, of which commit pushes the first count; what is queued,
    // valid until release. front() and release() are std::queue's front and pop.
    status try_claim(std::uint64_t wanted, span<T> &room_out) noexcept
    {
        in_place();
        void *items = nullptr;
        std::uint64_t count = 0;
        const quoit_status s = quoit_queue_claim(this->raw(), wanted, &items, &count);
        room_out = span<T>(static_cast<T *>(items), static_cast<std::size_t>(count));
        return detail::from(s);
    }
    void commit(std::uint64_t count)
    {
        detail::check(quoit_queue_commit(this->raw(), count));
    }
    status try_peek(span<const T> &items_out) noexcept
    {
        in_place();
        const void *items = nullptr;
        std::uint64_t count = 0;
        const quoit_status s = quoit_queue_peek(this->raw(), &items, &count);
        items_out = span<const T>(static_cast<const T *>(items), static_cast<std::size_t>(count));
        return detail::from(s);
    }
    const T &front()
    {
        span<const T> items;
        detail::check(try_peek(items));
        return items[0];
    }

    // For observers. ok empty finished; the cursor moves on.
    status try_look(quoit_cursor &cursor, std::optional<T> &item_out) const noexcept
    {
        return fill(item_out, [this, &cursor](T &room) {
            return detail::from(quoit_queue_look(this->raw(), &cursor, &room, sizeof(T), nullptr));
        });
    }
    watcher<queue> watch(quoit_cursor from = {}) const noexcept
    {
        return watcher<queue>(*this, from);
    }

  private:
    friend class detail::makers<queue>;
    explicit queue(quoit_queue *q) noexcept : detail::makers<queue>(q)
    {
    }
    static constexpr bool sized = false;
    static constexpr bool is_large = detail::is_large<T>;

    // A function of its own: g++ makes `item` in the caller's object only in the outermost block.
    T pop_large(timeout t)
    {
        T item;
        detail::check(try_pop_for(item, t));
        return item;
    }
    // Calls get(T &), which writes an item. A large one is written in item_out itself, which is
    // then empty unless ok. It is zeroed first, at each call: poll with try_pop(T &) instead.
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
    static constexpr std::uint32_t item_bytes(const options &) noexcept
    {
        return sizeof(T);
    }
    static bool fits(const quoit_queue_info &info) noexcept
    {
        return !info.sized && info.item_bytes == sizeof(T);
    }
    static std::string describe()
    {
        return "quoit::queue of items of " + std::to_string(sizeof(T)) + " bytes";
    }
    static constexpr void in_place() noexcept
    {
        static_assert(alignof(T) <= 8,
                      "items lie at multiples of 8 bytes in a queue: this type can "
                      "be pushed and popped, but not used in place");
    }
};

} // namespace quoit

#include <quoit/pool.hpp>
#include <quoit/sized_queue.hpp>

#endif
