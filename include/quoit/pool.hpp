// SPDX-License-Identifier: MIT
// Pools, for C++: blocks of one size that processes pass on to each other.
#ifndef QUOIT_POOL_HPP
#define QUOIT_POOL_HPP

#include <quoit.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace quoit
{

struct pool_options {
    std::uint64_t block_bytes = 0;
    std::uint64_t blocks = 0; // exactly
    std::uint32_t permissions = 0;
    std::uint32_t memory = 0; // QUOIT_PREFAULT, ...
};

// A block that belongs to this handle. The destructor frees it unless it was pushed. It must not
// outlive its pool.
class [[nodiscard]] block
{
  public:
    block() = default; // empty
    block(quoit_pool *pool, quoit_block id) noexcept : pool_(pool), id_(id)
    {
    }
    block(block &&other) noexcept : pool_(other.pool_), id_(other.release())
    {
    }
    block &operator=(block &&other) noexcept
    {
        if (this != &other) {
            reset();
            pool_ = other.pool_;
            id_ = other.release();
        }
        return *this;
    }
    ~block()
    {
        reset();
    }

    explicit operator bool() const noexcept
    {
        return id_ != 0;
    }
    [[nodiscard]] quoit_block id() const noexcept
    {
        return id_;
    }
    [[nodiscard]] std::byte *data() const noexcept
    {
        return id_ ? static_cast<std::byte *>(quoit_pool_at(pool_, id_)) : nullptr;
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return id_ ? static_cast<std::size_t>(quoit_pool_block_bytes(pool_)) : 0;
    }
    // Returns the block as a T. All processes that share the pool must use it in this way. Throws
    // too_big if a T does not fit, and not_yours if this object is empty.
    template <class T> [[nodiscard]] T &as() const
    {
        static_assert(detail::check_sendable<T>::value && alignof(T) <= 64);
        std::byte *const bytes = data();
        if (!bytes)
            detail::raise(status::not_yours);
        if (sizeof(T) > size())
            detail::raise(status::too_big, "a block of " + std::to_string(size()) +
                                               " bytes has no room for a type of " +
                                               std::to_string(sizeof(T)));
        return *reinterpret_cast<T *>(bytes);
    }
    quoit_block release() noexcept // from now on the caller must free or push it
    {
        return std::exchange(id_, 0);
    }
    void reset() noexcept
    {
        if (id_)
            (void)quoit_pool_free(pool_, release());
    }

  private:
    quoit_pool *pool_ = nullptr;
    quoit_block id_ = 0;
};

// The queue that blocks are sent through.
using block_queue = queue<quoit_block>;

namespace detail
{
template <> struct calls<quoit_pool> {
    static constexpr auto create = &quoit_pool_create;
    static constexpr auto open = &quoit_pool_open;
    static constexpr auto join = &quoit_pool_join;
    static constexpr auto close = &quoit_pool_close;
};
} // namespace detail

class pool : public detail::flagless_makers<pool, quoit_pool, pool_options>
{
    using base = detail::flagless_makers<pool, quoit_pool, pool_options>;

  public:
    pool() = default;                               // empty: may be assigned to
    explicit pool(quoit_pool *p) noexcept : base(p) // which it then closes
    {
    }
    [[nodiscard]] std::uint64_t block_bytes() const noexcept
    {
        return quoit_pool_block_bytes(raw());
    }
    [[nodiscard]] std::uint64_t blocks() const noexcept
    {
        return quoit_pool_blocks(raw());
    }
    [[nodiscard]] std::uint64_t free_count() const noexcept
    {
        return quoit_pool_free_count(raw());
    }

    [[nodiscard]] status try_alloc(block &block_out) noexcept // ok exhausted
    {
        quoit_block id = 0;
        const quoit_status s = quoit_pool_alloc(raw(), &id);
        if (s == QUOIT_OK)
            block_out = block(raw(), id);
        return detail::from(s);
    }
    block alloc()
    {
        block b;
        detail::check(try_alloc(b));
        return b;
    }

    // Send a block, or receive one, as push and pop of a queue. Unless push returns ok, the block
    // stays with the caller.
    [[nodiscard]] status try_push(block_queue &queue, block &&b) noexcept
    {
        return send(queue, b, QUOIT_NOW);
    }
    [[nodiscard]] status try_push_for(block_queue &queue, block &&b, timeout t) noexcept
    {
        return send(queue, b, t.ns());
    }
    void push(block_queue &queue, block &&b, timeout t = forever)
    {
        detail::check(send(queue, b, t.ns()));
    }
    [[nodiscard]] status try_pop(block_queue &queue, block &block_out) noexcept
    {
        return receive(queue, block_out, QUOIT_NOW);
    }
    [[nodiscard]] status try_pop_for(block_queue &queue, block &block_out, timeout t) noexcept
    {
        return receive(queue, block_out, t.ns());
    }
    [[nodiscard]] std::optional<block> try_pop(block_queue &queue)
    {
        return pop_within(queue, QUOIT_NOW);
    }
    [[nodiscard]] std::optional<block> pop_for(block_queue &queue, timeout t)
    {
        return pop_within(queue, t.ns());
    }
    block pop(block_queue &queue, timeout t = forever)
    {
        block b;
        detail::check(receive(queue, b, t.ns()));
        return b;
    }

    // Frees the blocks of crashed members. queues: all queues that blocks are sent through. Returns
    // how many blocks were freed.
    template <class... Queues> std::uint64_t reclaim(const Queues &...queues)
    {
        quoit_queue *const handles[] = {queues.native_handle()..., nullptr};
        std::uint64_t count = 0;
        detail::check(quoit_pool_reclaim(raw(), handles, sizeof...(queues), &count));
        return count;
    }
    void check() const
    {
        detail::check(quoit_pool_check(raw()));
    }

  private:
    friend class detail::makers<pool, detail::handle<quoit_pool>, pool_options>;
    static quoit_pool_options translated(const pool_options &o) noexcept
    {
        quoit_pool_options c = {};
        c.block_bytes = o.block_bytes;
        c.blocks = o.blocks;
        c.permissions = o.permissions;
        c.memory = o.memory;
        return c;
    }

    status send(block_queue &queue, block &b, std::int64_t timeout_ns) noexcept
    {
        const quoit_status s = quoit_pool_push(raw(), queue.native_handle(), b.id(), timeout_ns);
        if (s == QUOIT_OK)
            (void)b.release();
        return detail::from(s);
    }
    status receive(block_queue &queue, block &block_out, std::int64_t timeout_ns) noexcept
    {
        quoit_block id = 0;
        const quoit_status s = quoit_pool_pop(raw(), queue.native_handle(), &id, timeout_ns);
        if (s == QUOIT_OK)
            block_out = block(raw(), id);
        return detail::from(s);
    }
    std::optional<block> pop_within(block_queue &queue, std::int64_t timeout_ns)
    {
        block b;
        const status s = receive(queue, b, timeout_ns);
        detail::check_taken(s);
        return s == status::ok ? std::optional<block>(std::move(b)) : std::nullopt;
    }
};

} // namespace quoit

#endif
