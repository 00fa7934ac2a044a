// SPDX-License-Identifier: MIT
// Part of <quoit.hpp>, which includes it: the options of queues, and the calls that do not depend
// on the type of the items.
#ifndef QUOIT_HANDLE_HPP
#define QUOIT_HANDLE_HPP

#include <quoit/inspect.h>
#include <quoit/makers.hpp>
#include <quoit/span.hpp>
#include <quoit/typed.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace quoit
{

enum class kind : std::uint32_t {
    spsc = QUOIT_SPSC,
    mpmc = QUOIT_MPMC,
    broadcast = QUOIT_BROADCAST
};
enum class when_full : std::uint32_t { // of a broadcast
    wait_for_slowest = QUOIT_WAIT_FOR_SLOWEST,
    drop_oldest = QUOIT_DROP_OLDEST
};
enum class events : std::uint32_t {
    items = QUOIT_ITEMS,
    room = QUOIT_ROOM,
    both = QUOIT_ITEMS | QUOIT_ROOM // of wait_any
};

// {5}, {5, quoit::kind::mpmc}, or in C++20 {.capacity = 5, .user_bytes = 64}.
struct options {
    std::uint64_t capacity = 0; // items or messages, exactly
    quoit::kind kind = quoit::kind::spsc;
    quoit::when_full when_full = quoit::when_full::wait_for_slowest;
    std::uint64_t message_bytes = 0; // of a message_queue: the longest message
    std::uint32_t permissions = 0;   // 0: 0600
    std::uint64_t user_bytes = 0;
    std::uint32_t finishes = 0; // this many handles must call finish to end the stream; 0: one
    std::uint32_t members = 0;  // the most handles at one time; 0: 64
    std::uint32_t memory = 0;   // QUOIT_PREFAULT, ...
};

// Returned by a call for many items: auto [status, count] = queue.try_pop_many(buffer);
struct counted {
    status code = status::invalid;
    std::size_t count = 0; // valid with every status
};

// Lists Quoit's objects on this machine; `where` is that of quoit_list.
[[nodiscard]] inline std::vector<std::string> list(const char *where = nullptr)
{
    std::vector<std::string> names;
    detail::check(quoit_list(
        where,
        [](void *context, const char *name) {
            static_cast<std::vector<std::string> *>(context)->emplace_back(name);
            return true;
        },
        &names));
    return names;
}

// Removes the name of a queue, a pool, a region or a lock; flags: any_owner.
inline void unlink(object_name name, flags f = flags::none)
{
    detail::check(quoit_unlink(name, detail::bits(f)));
}
inline void unlink(object_name name, flags f, std::error_code &ec) noexcept
{
    ec = make_error_code(detail::from(quoit_unlink(name, detail::bits(f))));
}

// ---- What queues of items and of messages have in common ------------------------------------ //

namespace detail
{
template <> struct calls<quoit_queue> {
    static constexpr auto create = &quoit_queue_create;
    static constexpr auto open = &quoit_queue_open;
    static constexpr auto join = &quoit_queue_join;
    static constexpr auto close = &quoit_queue_close;
};

// For calls that return an optional: an empty or finished queue is a normal answer, and every other
// failure is an error.
inline void check_taken(status s)
{
    if (s != status::ok && s != status::empty && s != status::finished)
        raise(s);
}
} // namespace detail

class queue_handle : public detail::handle<quoit_queue>
{
  public:
    void finish()
    {
        detail::check(quoit_queue_finish(raw()));
    }
    void unlink() // removes the name if it still leads to this queue
    {
        detail::check(quoit_queue_unlink(raw()));
    }
    // Takes the item that front() returned. Throws status::invalid without one.
    void release()
    {
        detail::check(quoit_queue_release(raw()));
    }

    [[nodiscard]] std::uint64_t size() const noexcept
    {
        return quoit_queue_size(raw());
    }
    [[nodiscard]] std::uint64_t capacity() const noexcept
    {
        return quoit_queue_capacity(raw());
    }
    [[nodiscard]] bool empty() const noexcept
    {
        return size() == 0;
    }
    [[nodiscard]] bool full() const noexcept
    {
        return *this && size() >= capacity();
    }
    [[nodiscard]] bool finished() const noexcept // makes one or two system calls
    {
        quoit_queue_info info = {};
        return quoit_queue_inspect(raw(), &info) == QUOIT_OK && info.finished;
    }
    [[nodiscard]] std::uint64_t missed() const noexcept // of a broadcast with drop_oldest
    {
        return quoit_queue_missed(raw());
    }
    [[nodiscard]] void *user_area() const noexcept
    {
        return quoit_queue_user_area(raw());
    }

    // Of a queue without a name: a descriptor to pass on, which belongs to the queue.
    [[nodiscard]] int fd() const
    {
        int fd = -1;
        detail::check(quoit_queue_fd(raw(), &fd));
        return fd;
    }
    // Ends the current or the next wait of this handle with status::interrupted: any thread.
    void interrupt()
    {
        detail::check(quoit_queue_interrupt(raw()));
    }
    // For wait_any: this queue, and what to wait for.
    [[nodiscard]] quoit_wait waits_for(events e) const noexcept
    {
        return quoit_wait{raw(), static_cast<std::uint32_t>(e), 0};
    }
    [[nodiscard]] int poll_fd(events e)
    {
        int fd = -1;
        detail::check(quoit_queue_poll_fd(raw(), static_cast<std::uint32_t>(e), &fd));
        return fd;
    }
    [[nodiscard]] quoit_queue_info inspect() const
    {
        quoit_queue_info info = {};
        detail::check(quoit_queue_inspect(raw(), &info));
        return info;
    }
    [[nodiscard]] std::vector<quoit_member_info> members() const
    {
        std::vector<quoit_member_info> found;
        std::uint64_t count = 0;
        detail::check(quoit_queue_members(raw(), nullptr, 0, &count));
        do { // members may join meanwhile
            found.resize(static_cast<std::size_t>(count));
            detail::check(quoit_queue_members(raw(), found.data(), found.size(), &count));
        } while (count > found.size());
        found.resize(static_cast<std::size_t>(count));
        return found;
    }
    void check() const
    {
        detail::check(quoit_queue_check(raw()));
    }

  protected:
    queue_handle() = default;
    explicit queue_handle(quoit_queue *queue) noexcept : detail::handle<quoit_queue>(queue)
    {
    }
};

// Waits until one of the queues is ready, and sets `ready` of each that is.
//     quoit_wait waits[] = {jobs.waits_for(quoit::events::items), ...};
//     if (quoit::wait_any(waits) && quoit::is_ready(waits[0], quoit::events::items))
// true: at least one is ready. false: the time is over. Throws all else, such as
// status::interrupted.
[[nodiscard]] inline bool wait_any(span<quoit_wait> waits, timeout t = forever)
{
    const status s = detail::from(quoit_wait_any(waits.data(), waits.size(), t.ns()));
    if (s != status::timeout)
        detail::check(s);
    return s == status::ok;
}
// ok timeout interrupted
[[nodiscard]] inline status try_wait_any_for(span<quoit_wait> waits, timeout t) noexcept
{
    return detail::from(quoit_wait_any(waits.data(), waits.size(), t.ns()));
}
[[nodiscard]] inline bool is_ready(const quoit_wait &wait, events e) noexcept
{
    return (wait.ready & static_cast<std::uint32_t>(e)) != 0;
}

namespace detail
{
template <class Queue> using queue_makers_base = makers<Queue, queue_handle, options>;

// Creates and opens queues. Queue has `messages`, item_bytes(), item_align(), check_type(), fits()
// and describe().
template <class Queue> class queue_makers : public queue_makers_base<Queue>
{
  public:
    // Opens a queue without a name by a descriptor of fd(), which stays the caller's.
    [[nodiscard]] static Queue open_fd(int fd, flags f)
    {
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_open_fd(fd, bits(f), &q);
        return queue_makers::thrown(queue_makers::checked(q, s), nullptr);
    }
    // Another handle of the same queue, for another thread.
    [[nodiscard]] Queue again(flags f) const
    {
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_again(this->raw(), bits(f), &q);
        return this->thrown(this->checked(q, s), nullptr);
    }

  protected:
    queue_makers() = default;
    explicit queue_makers(quoit_queue *queue) noexcept : queue_makers_base<Queue>(queue)
    {
    }
    static quoit_queue_options translated(const options &o) noexcept
    {
        quoit_queue_options c = {};
        c.capacity = o.capacity;
        c.item_bytes = Queue::item_bytes(o);
        c.item_align = Queue::item_align();
        c.user_bytes = o.user_bytes;
        c.finishes = o.finishes;
        c.members = o.members;
        c.memory = o.memory;
        c.kind = static_cast<std::uint32_t>(o.kind);
        c.when_full = static_cast<std::uint32_t>(o.when_full);
        c.messages = Queue::messages ? 1 : 0;
        c.permissions = o.permissions;
        return c;
    }
    static quoit_status check_made(const quoit_queue *q) noexcept
    {
        return Queue::check_type(q);
    }
    static void explain(const quoit_queue *q, status code, const char *name)
    {
        quoit_queue_info info = {};
        if (code == status::different && q && quoit_queue_inspect(q, &info) == QUOIT_OK &&
            !Queue::fits(info))
            raise(code, "queue " + (name ? "'" + std::string(name) + "'" : "without a name") +
                            ": it has " + (info.messages ? "messages" : "items") + " of " +
                            std::to_string(info.item_bytes) + " bytes, this is a " +
                            Queue::describe());
    }
};
} // namespace detail
} // namespace quoit

#endif
