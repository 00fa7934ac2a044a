// SPDX-License-Identifier: MIT
// Locks between processes, for C++. <quoit/lock.h> explains them.
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

// The class of quoit::lock, which cannot have this name because it has a function lock(). Use it
// with std::lock_guard, std::unique_lock and std::scoped_lock. The lock belongs to the handle, not
// to a thread.
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

    // After lock(), and after the others if they return true, this handle has the lock. That is
    // also the case if the last holder crashed; see abandoned().
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
    // ok and abandoned: this handle has the lock. timeout and errors: it does not.
    [[nodiscard]] status acquire(timeout t = forever) noexcept
    {
        const status s = detail::from(quoit_lock_lock(raw(), t.ns()));
        if (s == status::ok || s == status::abandoned)
            abandoned_ = s == status::abandoned;
        return s;
    }
    // Does nothing in a forked child, which does not have the lock, so that a guard may be
    // destroyed there.
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

    // Valid while this handle has the lock: did the last holder crash, or close, while it had the
    // lock?
    [[nodiscard]] bool abandoned() const noexcept
    {
        return abandoned_;
    }
    // The PID of the process that has the lock, a snapshot; 0 if no process has it.
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
