// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about semaphores; <quoit/sem.h> explains them.
#ifndef QUOIT_SEMAPHORE_HPP
#define QUOIT_SEMAPHORE_HPP

#include <quoit/handle.hpp>

#include <quoit/sem.h>

#include <cstdint>
#include <system_error>

namespace quoit
{

struct semaphore_options {
    std::uint32_t value = 0;       // at first
    std::uint32_t permissions = 0; // 0: 0600
    bool give_back = false;        // the count of a process that crashes: sysv only
};

class semaphore
{
  public:
    semaphore() = default;                              // empty: may be assigned to
    explicit semaphore(quoit_sem *s) noexcept : sem_(s) // which it then closes
    {
    }
    [[nodiscard]] static semaphore create(object_name n, const semaphore_options &o)
    {
        const made m = creating(n, o);
        return detail::made<semaphore>(m.handle, m.code);
    }
    [[nodiscard]] static semaphore open(object_name n, flags f = flags::none)
    {
        const made m = opening(n, f);
        return detail::made<semaphore>(m.handle, m.code);
    }
    [[nodiscard]] static semaphore join(object_name n, const semaphore_options &o)
    {
        const made m = joining(n, o);
        return detail::made<semaphore>(m.handle, m.code);
    }
    // The same; they return an empty handle and set ec if they fail.
    [[nodiscard]] static semaphore create(object_name n, const semaphore_options &o,
                                          std::error_code &ec) noexcept
    {
        const made m = creating(n, o);
        return detail::made<semaphore>(m.handle, m.code, ec);
    }
    [[nodiscard]] static semaphore open(object_name n, flags f, std::error_code &ec) noexcept
    {
        const made m = opening(n, f);
        return detail::made<semaphore>(m.handle, m.code, ec);
    }
    [[nodiscard]] static semaphore join(object_name n, const semaphore_options &o,
                                        std::error_code &ec) noexcept
    {
        const made m = joining(n, o);
        return detail::made<semaphore>(m.handle, m.code, ec);
    }
    static void unlink(object_name n) // quoit::unlink is for queues, pools and regions
    {
        detail::check(quoit_sem_unlink(n));
    }

    explicit operator bool() const noexcept
    {
        return sem_ != nullptr;
    }
    [[nodiscard]] quoit_sem *native_handle() const noexcept
    {
        return sem_.get();
    }
    void close() noexcept
    {
        sem_.reset();
    }

    // Take one. The try_ forms return ok or timeout, or an error.
    void wait(timeout t = forever)
    {
        detail::check(quoit_sem_wait(sem_.get(), t.ns()));
    }
    [[nodiscard]] status try_wait() noexcept
    {
        return detail::from(quoit_sem_wait(sem_.get(), QUOIT_NOW));
    }
    [[nodiscard]] status try_wait_for(timeout t) noexcept
    {
        return detail::from(quoit_sem_wait(sem_.get(), t.ns()));
    }
    // Give one.
    void post()
    {
        detail::check(quoit_sem_post(sem_.get()));
    }
    [[nodiscard]] status try_post() noexcept
    {
        return detail::from(quoit_sem_post(sem_.get()));
    }
    [[nodiscard]] std::uint32_t value() const // a snapshot
    {
        std::uint32_t value = 0;
        detail::check(quoit_sem_value(sem_.get(), &value));
        return value;
    }

  private:
    struct made {
        quoit_sem *handle;
        quoit_status code;
    };
    static quoit_sem_options translated(const semaphore_options &o) noexcept
    {
        quoit_sem_options c = {};
        c.value = o.value;
        c.permissions = o.permissions;
        c.give_back = o.give_back ? 1 : 0;
        return c;
    }
    static made creating(const char *name, const semaphore_options &o) noexcept
    {
        const quoit_sem_options c = translated(o);
        quoit_sem *s = nullptr;
        const quoit_status code = quoit_sem_create(name, &c, 0, &s);
        return {s, code};
    }
    static made opening(const char *name, flags f) noexcept
    {
        quoit_sem *s = nullptr;
        const quoit_status code = quoit_sem_open(name, detail::bits(f), &s);
        return {s, code};
    }
    static made joining(const char *name, const semaphore_options &o) noexcept
    {
        const quoit_sem_options c = translated(o);
        quoit_sem *s = nullptr;
        const quoit_status code = quoit_sem_join(name, &c, 0, &s);
        return {s, code};
    }

    detail::owner<quoit_sem, quoit_sem_close> sem_;
};

} // namespace quoit

#endif
