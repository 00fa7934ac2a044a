// SPDX-License-Identifier: MIT
// Semaphores, for C++. <quoit/sem.h> explains them.
#ifndef QUOIT_SEMAPHORE_HPP
#define QUOIT_SEMAPHORE_HPP

#include <quoit/makers.hpp>
#include <quoit/sem.h>

#include <cstdint>
#include <system_error>

namespace quoit
{

struct semaphore_options {
    std::uint32_t value = 0;       // at creation
    std::uint32_t permissions = 0; // 0: 0600
    bool give_back = false;        // restores the count of a crashed process; sysv only
};

namespace detail
{
template <> struct calls<quoit_sem> {
    static constexpr auto create = &quoit_sem_create;
    static constexpr auto open = &quoit_sem_open;
    static constexpr auto join = &quoit_sem_join;
    static constexpr auto close = &quoit_sem_close;
};
} // namespace detail

class semaphore : public detail::flagless_makers<semaphore, quoit_sem, semaphore_options>
{
    using base = detail::flagless_makers<semaphore, quoit_sem, semaphore_options>;

  public:
    semaphore() = default;                              // empty: may be assigned to
    explicit semaphore(quoit_sem *s) noexcept : base(s) // which it then closes
    {
    }
    // quoit::unlink removes all other objects.
    static void unlink(object_name n, flags f = flags::none)
    {
        detail::check(quoit_sem_unlink(n, detail::bits(f)));
    }
    static void unlink(object_name n, flags f, std::error_code &ec) noexcept
    {
        ec = make_error_code(detail::from(quoit_sem_unlink(n, detail::bits(f))));
    }

    // Decrement the value. The try_ forms return ok or timeout, or an error.
    void wait(timeout t = forever)
    {
        detail::check(quoit_sem_wait(raw(), t.ns()));
    }
    [[nodiscard]] status try_wait() noexcept
    {
        return detail::from(quoit_sem_wait(raw(), QUOIT_NOW));
    }
    [[nodiscard]] status try_wait_for(timeout t) noexcept
    {
        return detail::from(quoit_sem_wait(raw(), t.ns()));
    }
    // Increment the value.
    void post()
    {
        detail::check(quoit_sem_post(raw()));
    }
    [[nodiscard]] status try_post() noexcept
    {
        return detail::from(quoit_sem_post(raw()));
    }
    [[nodiscard]] std::uint32_t value() const // a snapshot
    {
        std::uint32_t value = 0;
        detail::check(quoit_sem_value(raw(), &value));
        return value;
    }

  private:
    friend class detail::makers<semaphore, detail::handle<quoit_sem>, semaphore_options>;
    static quoit_sem_options translated(const semaphore_options &o) noexcept
    {
        quoit_sem_options c = {};
        c.value = o.value;
        c.permissions = o.permissions;
        c.give_back = o.give_back ? 1 : 0;
        return c;
    }
};

} // namespace quoit

#endif
