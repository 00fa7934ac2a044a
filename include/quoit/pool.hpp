// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about pools: blocks that change hands.
#ifndef QUOIT_POOL_HPP
#define QUOIT_POOL_HPP

#include <quoit.hpp>

#include <memory>
#include <utility>

namespace quoit
{

struct pool_options {
    std::uint64_t block_bytes = 0;
    std::uint64_t blocks = 0; // exactly
    std::uint32_t permissions = 0;
};

// A block that is this handle's, freed with it unless it was pushed. It must not outlive its pool.
class block
{
  public:
    block() = default;
    block(quoit_pool *pool, quoit_block number) noexcept : pool_(pool), number_(number)
    {
    }
    block(block &&other) noexcept : pool_(other.pool_), number_(other.release())
    {
    }
    block &operator=(block &&other) noexcept
    {
        if (this != &other) {
            reset();
            pool_ = other.pool_;
            number_ = other.release();
        }
        return *this;
    }
    ~block()
    {
        reset();
    }

    explicit operator bool() const noexcept
    {
        return number_ != 0;
    }
    quoit_block number() const noexcept
    {
        return number_;
    }
    std::byte *data() const noexcept
    {
        return number_ ? static_cast<std::byte *>(quoit_pool_at(pool_, number_)) : nullptr;
    }
    std::size_t size() const noexcept
    {
        return number_ ? static_cast<std::size_t>(quoit_pool_block_bytes(pool_)) : 0;
    }
    // The block as a T, where that is how all who share the pool use it.
    template <class T> T &as() const
    {
        static_assert(detail::sendable<T>::value && alignof(T) <= 64);
        if (sizeof(T) > size())
            detail::raise(status::too_big, "a block of " + std::to_string(size()) +
                                               " bytes has no room for a type of " +
                                               std::to_string(sizeof(T)));
        return *reinterpret_cast<T *>(data());
    }
    quoit_block release() noexcept
    {
        return std::exchange(number_, 0);
    } // yours to free or push
    void reset() noexcept
    {
        if (number_)
            (void)quoit_pool_free(pool_, release());
    }

  private:
    quoit_pool *pool_ = nullptr;
    quoit_block number_ = 0;
};

// What blocks go through.
using block_queue = queue<quoit_block>;

class pool
{
  public:
    pool() = default; // empty: only to be assigned to
    static pool create(object_name n, const pool_options &o, unsigned flags = 0)
    {
        const quoit_pool_options c = {o.block_bytes, o.blocks, o.permissions};
        quoit_pool *p = nullptr;
        detail::check(quoit_pool_create(n, &c, flags, &p));
        return pool(p);
    }
    static pool open(object_name n, unsigned flags = 0)
    {
        quoit_pool *p = nullptr;
        detail::check(quoit_pool_open(n, flags, &p));
        return pool(p);
    }
    static pool join(object_name n, const pool_options &o, unsigned flags = 0)
    {
        const quoit_pool_options c = {o.block_bytes, o.blocks, o.permissions};
        quoit_pool *p = nullptr;
        detail::check(quoit_pool_join(n, &c, flags, &p));
        return pool(p);
    }
    static void unlink(object_name n)
    {
        detail::check(quoit_pool_unlink(n));
    }

    explicit operator bool() const noexcept
    {
        return pool_ != nullptr;
    }
    quoit_pool *native_handle() const noexcept
    {
        return pool_.get();
    }
    std::uint64_t block_bytes() const noexcept
    {
        return quoit_pool_block_bytes(pool_.get());
    }
    std::uint64_t blocks() const noexcept
    {
        return quoit_pool_blocks(pool_.get());
    }
    std::uint64_t free_count() const noexcept
    {
        return quoit_pool_free_count(pool_.get());
    }

    status try_allocate(block &block_out) noexcept // ok exhausted
    {
        quoit_block number = 0;
        const quoit_status s = quoit_pool_alloc(pool_.get(), &number);
        if (s == QUOIT_OK)
            block_out = block(pool_.get(), number);
        return detail::from(s);
    }
    block allocate()
    {
        block b;
        detail::check(try_allocate(b));
        return b;
    }

    // Hand a block on. Unless ok it is still the caller's.
    status try_push(block_queue &queue, block &&b, timeout t = std::chrono::seconds(0)) noexcept
    {
        const quoit_status s = t.ns() == 0
                                   ? quoit_pool_push(pool_.get(), queue.native_handle(), b.number())
                                   : quoit_pool_push_wait(pool_.get(), queue.native_handle(),
                                                          b.number(), t.ns());
        if (s == QUOIT_OK)
            (void)b.release();
        return detail::from(s);
    }
    status try_pop(block_queue &queue, block &block_out,
                   timeout t = std::chrono::seconds(0)) noexcept
    {
        quoit_block number = 0;
        const quoit_status s = t.ns() == 0
                                   ? quoit_pool_pop(pool_.get(), queue.native_handle(), &number)
                                   : quoit_pool_pop_wait(pool_.get(), queue.native_handle(),
                                                         &number, t.ns());
        if (s == QUOIT_OK)
            block_out = block(pool_.get(), number);
        return detail::from(s);
    }
    void push(block_queue &queue, block &&b, timeout t = forever)
    {
        detail::check(try_push(queue, std::move(b), t));
    }
    block pop(block_queue &queue, timeout t = forever)
    {
        block b;
        detail::check(try_pop(queue, b, t));
        return b;
    }

    // Frees what the dead had; queues: those that blocks are sent through. Returns how many.
    template <class... Queues> std::uint64_t reclaim(const Queues &...queues)
    {
        quoit_queue *const handles[] = {queues.native_handle()..., nullptr};
        std::uint64_t count = 0;
        detail::check(quoit_pool_reclaim(pool_.get(), handles, sizeof...(queues), &count));
        return count;
    }
    void check() const
    {
        detail::check(quoit_pool_check(pool_.get()));
    }

  private:
    struct closer {
        void operator()(quoit_pool *p) const noexcept
        {
            quoit_pool_close(p);
        }
    };
    explicit pool(quoit_pool *p) noexcept : pool_(p)
    {
    }
    std::unique_ptr<quoit_pool, closer> pool_;
};

} // namespace quoit

#endif
