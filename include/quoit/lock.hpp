// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about locks between processes; <quoit/lock.h>
// explains them.
//
//     quoit::lock lock = quoit::lock::join("account");
//     const std::lock_guard<quoit::lock> guard(lock);
//     if (lock.abandoned())
//         repair();    // the last holder crashed: what the lock protects may be half changed
#ifndef QUOIT_LOCK_HPP
#define QUOIT_LOCK_HPP

#include <quoit/lock.h>
#include <quoit/makers.hpp>

#include <chrono>
#include <cstdint>

namespace quoit
{

struct lock_options {
    std::uint32_t permissions = 0; // 0: 0600
};

namespace detail
{
template <> struct calls<quoit_lock> {
    static constexpr auto create = &quoit_lock_create;
    static constexpr auto open = &quoit_lock_open;
    static constexpr auto join = &quoit_lock_join;
    static constexpr auto close = &quoit_lock_close;
};
} // namespace detail

// The class of quoit::lock: a class cannot have a function of its own name. For std::lock_guard,
// std::unique_lock and std::scoped_lock. The handle has the lock, not a thread.
class lock_handle : public detail::flagless_makers<lock_handle, quoit_lock, lock_options>
{
    using base = detail::flagless_makers<lock_handle, quoit_lock, lock_options>;

  public:
    lock_handle() = default;                               // empty: may be assigned to
    explicit lock_handle(quoit_lock *l) noexcept : base(l) // which it then closes
    {
    }
    using base::create;
    using base::join;
    [[nodiscard]] static lock_handle create(object_name n)
    {
        return create(n, lock_options());
    }
    [[nodiscard]] static lock_handle join(object_name n)
    {
        return join(n, lock_options());
    }

    // These return, or return true, with the lock, also if its last holder crashed: abandoned().
    void lock()
    {
        const status s = acquire();
        if (s != status::abandoned)
            detail::check(s);
    }
    [[nodiscard]] bool try_lock()
    {
        return has(acquire(std::chrono::seconds(0)));
    }
    [[nodiscard]] bool try_lock_for(timeout t)
    {
        return has(acquire(t));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration> &end)
    {
        return try_lock_for(end - Clock::now());
    }
    // ok and abandoned: this handle has the lock; timeout, or an error: it has not.
    [[nodiscard]] status acquire(timeout t = forever) noexcept
    {
        const status s = detail::from(quoit_lock_lock(raw(), t.ns()));
        if (s == status::ok || s == status::abandoned)
            abandoned_ = s == status::abandoned;
        return s;
    }
    // Does nothing in a forked child, which does not have the lock: a guard may end there.
    void unlock()
    {
        const status s = try_unlock();
        if (s != status::forked)
            detail::check(s);
    }
    [[nodiscard]] status try_unlock() noexcept
    {
        return detail::from(quoit_lock_unlock(raw()));
    }

    // While this handle has the lock: did the holder before it crash, or close, with the lock?
    [[nodiscard]] bool abandoned() const noexcept
    {
        return abandoned_;
    }
    // The PID of the process that has the lock, a snapshot; 0 if none has.
    [[nodiscard]] std::uint32_t holder() const
    {
        std::uint32_t pid = 0;
        const status s = detail::from(quoit_lock_holder(raw(), &pid));
        if (s != status::abandoned)
            detail::check(s);
        return pid;
    }

  private:
    friend class detail::makers<lock_handle, detail::handle<quoit_lock>, lock_options>;
    static quoit_lock_options translated(const lock_options &o) noexcept
    {
        quoit_lock_options c = {};
        c.permissions = o.permissions;
        return c;
    }
    static bool has(status s)
    {
        if (s == status::timeout)
            return false;
        if (s != status::abandoned)
            detail::check(s);
        return true;
    }

    bool abandoned_ = false;
};
using lock = lock_handle;

} // namespace quoit

#endif
