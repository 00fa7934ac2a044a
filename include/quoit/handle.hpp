// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, that all queues have in common: the arguments of
// calls, how a queue is made, and the calls that do not depend on the type of the items.
#ifndef QUOIT_HANDLE_HPP
#define QUOIT_HANDLE_HPP

#include <quoit/inspect.h>
#include <quoit/status.hpp>
#include <quoit/typed.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_expected
#include <expected>
#endif

namespace quoit
{

// ---- Arguments of calls --------------------------------------------------------------------- //

// May be or-ed: quoit::producer | quoit::consumer.
enum class flags : std::uint32_t {
    none = 0,
    producer = QUOIT_PRODUCER,
    consumer = QUOIT_CONSUMER,
    observer = QUOIT_OBSERVER,
    any_owner = QUOIT_ANY_OWNER,
    from_oldest = QUOIT_FROM_OLDEST,
    for_repair = QUOIT_FOR_REPAIR
};
constexpr flags operator|(flags a, flags b) noexcept
{
    return static_cast<flags>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
inline constexpr flags producer = flags::producer;
inline constexpr flags consumer = flags::consumer;
inline constexpr flags observer = flags::observer;
inline constexpr flags any_owner = flags::any_owner;
inline constexpr flags from_oldest = flags::from_oldest;

enum class kind : std::uint32_t {
    spsc = QUOIT_SPSC,
    mpmc = QUOIT_MPMC,
    broadcast = QUOIT_BROADCAST
};
enum class when_full : std::uint32_t { // of a broadcast
    wait_for_slowest = QUOIT_WAIT_FOR_SLOWEST,
    drop_oldest = QUOIT_DROP_OLDEST
};
enum class events : std::uint32_t { items = QUOIT_ITEMS, room = QUOIT_ROOM };

// {5}, {5, quoit::kind::mpmc}, or in C++20 {.capacity = 5, .user_bytes = 64}.
struct options {
    std::uint64_t capacity = 0; // items or messages, exactly
    quoit::kind kind = quoit::kind::spsc;
    quoit::when_full when_full = quoit::when_full::wait_for_slowest;
    std::uint64_t message_bytes = 0; // of a message_queue: the longest message
    std::uint32_t permissions = 0;   // 0: 0600
    std::uint64_t user_bytes = 0;
    std::uint32_t finishes = 0; // this many handles must call finish to end the stream; 0: one
};

// Any std::chrono duration. One beyond 292 years waits for ever; a negative one does not wait.
class timeout
{
  public:
    struct endless {
    };
    constexpr timeout(endless) noexcept : ns_(QUOIT_FOREVER)
    {
    }
    template <class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> d) noexcept : ns_(QUOIT_NOW)
    {
        const long double ns = std::chrono::duration<long double, std::nano>(d).count();
        if (ns >= 9.2e18L)
            ns_ = QUOIT_FOREVER;
        else if (ns > 0)
            ns_ = static_cast<std::int64_t>(ns);
    }
    [[nodiscard]] constexpr std::int64_t ns() const noexcept
    {
        return ns_;
    }

  private:
    std::int64_t ns_;
};
inline constexpr timeout forever{timeout::endless{}};

// A name, as <quoit.h> explains it: "products", "file:/var/tmp/products".
class object_name
{
  public:
    object_name(const char *text) noexcept : text_(text)
    {
    }
    object_name(const std::string &text) noexcept : text_(text.c_str())
    {
    }
    operator const char *() const noexcept
    {
        return text_;
    }

  private:
    const char *text_;
};

// What a call for many items returns: auto [status, count] = queue.try_pop_many(buffer);
struct counted {
    status code = status::invalid;
    std::size_t count = 0; // valid with every status
};

namespace detail
{
constexpr std::uint32_t bits(flags f) noexcept
{
    return static_cast<std::uint32_t>(f);
}

// Closes a handle of the C library when its owner is destroyed.
template <class Handle, void (*Close)(Handle *)> struct closer {
    void operator()(Handle *handle) const noexcept
    {
        Close(handle);
    }
};
template <class Handle, void (*Close)(Handle *)>
using owner = std::unique_ptr<Handle, closer<Handle, Close>>;

// An object of what a C call has made, or the error that it returned.
template <class Object, class Handle> Object made(Handle *handle, quoit_status s)
{
    Object object(handle);
    check(s);
    return object;
}
template <class Object, class Handle>
Object made(Handle *handle, quoit_status s, std::error_code &ec) noexcept
{
    ec = make_error_code(from(s));
    return Object(handle);
}

// For calls that return an optional: no item is an answer, everything else an error.
inline void check_taken(status s)
{
    if (s != status::ok && s != status::empty && s != status::finished)
        raise(s);
}
} // namespace detail

// Every object on this machine that Quoit made; `where` as of quoit_list.
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

// Removes the name of a queue, a pool or a region; flags: any_owner.
inline void unlink(object_name name, flags f = flags::none)
{
    detail::check(quoit_unlink(name, detail::bits(f)));
}
inline void unlink(object_name name, flags f, std::error_code &ec) noexcept
{
    ec = make_error_code(detail::from(quoit_unlink(name, detail::bits(f))));
}

// ---- What queues of items and of messages have in common ------------------------------------ //

// An empty handle, default constructed or moved from, may be used: calls return status::invalid or
// throw it, and a snapshot returns 0.
class queue_handle
{
  public:
    explicit operator bool() const noexcept
    {
        return queue_ != nullptr;
    }
    [[nodiscard]] quoit_queue *native_handle() const noexcept
    {
        return queue_.get();
    }
    void close() noexcept
    {
        queue_.reset();
    }

    void finish()
    {
        detail::check(quoit_queue_finish(raw()));
    }
    void unlink() // the name, if it still leads to this queue
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
    [[nodiscard]] bool finished() const noexcept // a system call or two, as inspect
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
        std::vector<quoit_member_info> found(QUOIT_MEMBERS_MAX);
        std::uint64_t count = 0;
        detail::check(quoit_queue_members(raw(), found.data(), found.size(), &count));
        found.resize(static_cast<std::size_t>(count));
        return found;
    }
    void check() const
    {
        detail::check(quoit_queue_check(raw()));
    }

  protected:
    queue_handle() = default;
    explicit queue_handle(quoit_queue *queue) noexcept : queue_(queue)
    {
    }
    [[nodiscard]] quoit_queue *raw() const noexcept
    {
        return queue_.get();
    }

  private:
    detail::owner<quoit_queue, quoit_queue_close> queue_;
};

namespace detail
{
// What a queue's class and its base share: how it is made. Queue has `messages`, item_bytes(),
// item_align(), check_type() and describe().
template <class Queue> class makers : public queue_handle
{
  public:
    [[nodiscard]] static Queue create(object_name n, const options &o, flags f)
    {
        return thrown(creating(n, o, f), n);
    }
    [[nodiscard]] static Queue open(object_name n, flags f)
    {
        return thrown(opening(n, f), n);
    }
    [[nodiscard]] static Queue join(object_name n, const options &o, flags f)
    {
        return thrown(joining(n, o, f), n);
    }

    // Another handle of the same queue, for another thread.
    [[nodiscard]] Queue again(flags f) const
    {
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_again(raw(), bits(f), &q);
        return thrown(checked(q, s), "");
    }

    // The same; they return an empty handle and set ec if they fail.
    [[nodiscard]] static Queue create(object_name n, const options &o, flags f,
                                      std::error_code &ec) noexcept
    {
        return noted(creating(n, o, f), ec);
    }
    [[nodiscard]] static Queue open(object_name n, flags f, std::error_code &ec) noexcept
    {
        return noted(opening(n, f), ec);
    }
    [[nodiscard]] static Queue join(object_name n, const options &o, flags f,
                                    std::error_code &ec) noexcept
    {
        return noted(joining(n, o, f), ec);
    }

#ifdef __cpp_lib_expected
    [[nodiscard]] static std::expected<Queue, status> try_create(object_name n, const options &o,
                                                                 flags f) noexcept
    {
        return expected(creating(n, o, f));
    }
    [[nodiscard]] static std::expected<Queue, status> try_open(object_name n, flags f) noexcept
    {
        return expected(opening(n, f));
    }
    [[nodiscard]] static std::expected<Queue, status> try_join(object_name n, const options &o,
                                                               flags f) noexcept
    {
        return expected(joining(n, o, f));
    }
#endif

  protected:
    makers() = default;
    explicit makers(quoit_queue *queue) noexcept : queue_handle(queue)
    {
    }

  private:
    struct result {
        Queue queue; // also one whose items are different
        status code;
    };
    static quoit_queue_options translated(const options &o) noexcept
    {
        quoit_queue_options c = {};
        c.capacity = o.capacity;
        c.item_bytes = Queue::item_bytes(o);
        c.item_align = Queue::item_align();
        c.user_bytes = o.user_bytes;
        c.finishes = o.finishes;
        c.kind = static_cast<std::uint32_t>(o.kind);
        c.when_full = static_cast<std::uint32_t>(o.when_full);
        c.messages = Queue::messages ? 1 : 0;
        c.permissions = o.permissions;
        return c;
    }
    static result checked(quoit_queue *q, quoit_status s) noexcept
    {
        result r = {Queue(q), from(s)};
        if (r.code == status::ok)
            r.code = from(Queue::check_type(q));
        return r;
    }
    static result creating(const char *name, const options &o, flags f) noexcept
    {
        const quoit_queue_options c = translated(o);
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_create(name, &c, bits(f), &q);
        return checked(q, s);
    }
    static result opening(const char *name, flags f) noexcept
    {
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_open(name, bits(f), &q);
        return checked(q, s);
    }
    static result joining(const char *name, const options &o, flags f) noexcept
    {
        const quoit_queue_options c = translated(o);
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_join(name, &c, bits(f), &q);
        return checked(q, s);
    }

    static Queue thrown(result r, const char *name)
    {
        quoit_queue_info info = {};
        if (r.code == status::different && r.queue &&
            quoit_queue_inspect(r.queue.native_handle(), &info) == QUOIT_OK && !Queue::fits(info))
            raise(r.code, "queue '" + std::string(name) + "': it has " +
                              (info.messages ? "messages" : "items") + " of " +
                              std::to_string(info.item_bytes) + " bytes, this is a " +
                              Queue::describe());
        detail::check(r.code);
        return std::move(r.queue);
    }
    static Queue noted(result r, std::error_code &ec) noexcept
    {
        ec = make_error_code(r.code);
        return r.code == status::ok ? std::move(r.queue) : Queue();
    }
#ifdef __cpp_lib_expected
    static std::expected<Queue, status> expected(result r) noexcept
    {
        if (r.code != status::ok)
            return std::unexpected(r.code);
        return std::move(r.queue);
    }
#endif
};
} // namespace detail
} // namespace quoit

#endif
