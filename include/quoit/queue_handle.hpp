// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, that all queues have in common: what calls take, how
// queues are made, and what does not depend on what is sent.
#ifndef QUOIT_QUEUE_HANDLE_HPP
#define QUOIT_QUEUE_HANDLE_HPP

#include <quoit.h>
#include <quoit/status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace quoit
{

// ---- What calls take ------------------------------------------------------------------------ //

// May be or-ed: quoit::producer | quoit::consumer.
enum class role : unsigned {
    producer = QUOIT_PRODUCER,
    consumer = QUOIT_CONSUMER,
    observer = QUOIT_OBSERVER,
    any_owner = QUOIT_ANY_OWNER,
    from_oldest = QUOIT_FROM_OLDEST
};
constexpr role operator|(role a, role b) noexcept
{
    return static_cast<role>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
inline constexpr role producer = role::producer;
inline constexpr role consumer = role::consumer;
inline constexpr role observer = role::observer;

enum class kind { spsc = QUOIT_SPSC, mpmc = QUOIT_MPMC, broadcast = QUOIT_BROADCAST };
enum class tuning { items = QUOIT_FOR_ITEMS, spans = QUOIT_FOR_SPANS };
enum class overrun { lossless = QUOIT_LOSSLESS, lossy = QUOIT_LOSSY }; // of a broadcast

// {5}, {5, quoit::kind::mpmc}, or in C++20 {.capacity = 5, .user_bytes = 64}.
struct options {
    std::uint64_t capacity = 0; // items, exactly
    quoit::kind kind = quoit::kind::spsc;
    quoit::tuning tuning = quoit::tuning::items;
    quoit::overrun overrun = quoit::overrun::lossless;
    std::uint32_t message_bytes = 0; // of a sized_queue: the longest message
    std::uint32_t permissions = 0;   // 0 = 0600
    std::uint32_t user_bytes = 0;
};

// Any std::chrono duration; what is beyond 292 years is forever, less than nothing is nothing.
class timeout
{
  public:
    struct endless {
    };
    constexpr timeout(endless) noexcept : ns_(QUOIT_FOREVER)
    {
    }
    template <class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> d) noexcept : ns_(0)
    {
        const long double ns = std::chrono::duration<long double, std::nano>(d).count();
        if (ns >= 9.2e18L)
            ns_ = QUOIT_FOREVER;
        else if (ns > 0)
            ns_ = static_cast<std::int64_t>(ns);
    }
    constexpr std::int64_t ns() const noexcept
    {
        return ns_;
    }

  private:
    std::int64_t ns_;
};
inline constexpr timeout forever{timeout::endless{}};

// A name as <quoit.h> tells: "products", "file:/var/tmp/products".
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

// Items in place.
template <class T> class span
{
  public:
    span() = default;
    span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }
    T *data() const noexcept
    {
        return data_;
    }
    std::size_t size() const noexcept
    {
        return size_;
    }
    bool empty() const noexcept
    {
        return size_ == 0;
    }
    T *begin() const noexcept
    {
        return data_;
    }
    T *end() const noexcept
    {
        return data_ + size_;
    }
    T &operator[](std::size_t at) const noexcept
    {
        return data_[at];
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

// Every object on this machine that Quoit made; where as quoit_list tells.
inline std::vector<std::string> list(const char *where = nullptr)
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

// ---- What queues of items and of messages have in common ------------------------------------ //

class queue_handle
{
  public:
    explicit operator bool() const noexcept
    {
        return queue_ != nullptr;
    }
    quoit_queue *native_handle() const noexcept
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
    void unlink()
    {
        detail::check(quoit_queue_unlink_self(raw()));
    } // this very queue's name

    std::uint64_t size() const noexcept
    {
        return quoit_queue_size(raw());
    }
    std::uint64_t capacity() const noexcept
    {
        return quoit_queue_capacity(raw());
    }
    bool empty() const noexcept
    {
        return quoit_queue_is_empty(raw());
    }
    bool full() const noexcept
    {
        return quoit_queue_is_full(raw());
    }
    bool finished() const noexcept
    {
        return quoit_queue_is_finished(raw());
    }
    std::uint64_t missed() const noexcept
    {
        return quoit_queue_missed(raw());
    } // lossy broadcast
    void *user_area() const noexcept
    {
        return quoit_queue_user_area(raw());
    }

    status try_wait_for_room(timeout t) noexcept
    {
        return detail::from(quoit_queue_wait_for_room(raw(), t.ns()));
    }
    status try_wait_for_items(timeout t) noexcept
    {
        return detail::from(quoit_queue_wait_for_items(raw(), t.ns()));
    }
    // What a commit or a release returns beside OK is a mistake of its caller.
    void release(std::uint64_t count = 1)
    {
        detail::check(quoit_queue_release(raw(), count));
    }

    int poll_fd(role side)
    {
        int fd = -1;
        detail::check(quoit_queue_poll_fd(raw(), static_cast<unsigned>(side), &fd));
        return fd;
    }
    quoit_queue_info inspect() const
    {
        quoit_queue_info info = {};
        detail::check(quoit_queue_inspect(raw(), &info));
        return info;
    }
    std::vector<quoit_member_info> members() const
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
    quoit_queue *raw() const noexcept
    {
        return queue_.get();
    }

  private:
    struct closer {
        void operator()(quoit_queue *queue) const noexcept
        {
            quoit_queue_close(queue);
        }
    };
    std::unique_ptr<quoit_queue, closer> queue_;
};

inline void unlink(object_name name)
{
    detail::check(quoit_queue_unlink(name));
}

namespace detail
{
// What a queue's class and its base share: how it is made.
template <class Queue> class makers : public queue_handle
{
  public:
    static Queue create(object_name n, const options &o, role r)
    {
        return made(n, creating(n, o, r));
    }
    static Queue open(object_name n, role r)
    {
        return made(n, opening(n, r));
    }
    static Queue join(object_name n, const options &o, role r)
    {
        return made(n, joining(n, o, r));
    }

    // The same; an empty handle where ec is set.
    static Queue create(object_name n, const options &o, role r, std::error_code &ec) noexcept
    {
        return made(creating(n, o, r), ec);
    }
    static Queue open(object_name n, role r, std::error_code &ec) noexcept
    {
        return made(opening(n, r), ec);
    }
    static Queue join(object_name n, const options &o, role r, std::error_code &ec) noexcept
    {
        return made(joining(n, o, r), ec);
    }

  protected:
    makers() = default;
    explicit makers(quoit_queue *queue) noexcept : queue_handle(queue)
    {
    }

  private:
    struct result {
        quoit_queue *queue;
        status code;
    };
    static quoit_queue_options translated(const options &o) noexcept
    {
        quoit_queue_options c = {};
        c.kind = static_cast<quoit_kind>(o.kind);
        c.item_bytes = Queue::item_bytes(o);
        c.capacity = o.capacity;
        c.permissions = o.permissions;
        c.sized = Queue::sized;
        c.tuning = static_cast<quoit_tuning>(o.tuning);
        c.user_bytes = o.user_bytes;
        c.broadcast = static_cast<quoit_broadcast>(o.overrun);
        return c;
    }
    static result creating(const char *name, const options &o, role r) noexcept
    {
        const quoit_queue_options c = translated(o);
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_create(name, &c, static_cast<unsigned>(r), &q);
        return {q, from(s)};
    }
    static result opening(const char *name, role r) noexcept
    {
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_open(name, static_cast<unsigned>(r), &q);
        return {q, from(s)};
    }
    static result joining(const char *name, const options &o, role r) noexcept
    {
        const quoit_queue_options c = translated(o);
        quoit_queue *q = nullptr;
        const quoit_status s = quoit_queue_join(name, &c, static_cast<unsigned>(r), &q);
        return {q, from(s)};
    }
    static Queue made(const char *name, result r)
    {
        Queue queue(r.queue);
        detail::check(r.code);
        const quoit_queue_info info = queue.inspect();
        if (!Queue::fits(info))
            raise(status::different, "queue '" + std::string(name) + "': it has " +
                                         (info.sized ? "messages" : "items") + " of " +
                                         std::to_string(info.item_bytes) + " bytes, this is a " +
                                         Queue::describe());
        return queue;
    }
    static Queue made(result r, std::error_code &ec) noexcept
    {
        Queue queue(r.queue);
        quoit_queue_info info = {};
        if (r.code == status::ok)
            r.code = from(quoit_queue_inspect(r.queue, &info));
        if (r.code == status::ok && !Queue::fits(info))
            r.code = status::different;
        ec = make_error_code(r.code);
        return r.code == status::ok ? std::move(queue) : Queue();
    }
};
} // namespace detail
} // namespace quoit

#endif
