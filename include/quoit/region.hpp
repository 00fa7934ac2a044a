// SPDX-License-Identifier: MIT
// Regions, for C++: named memory that processes share.
#ifndef QUOIT_REGION_HPP
#define QUOIT_REGION_HPP

#include <quoit/makers.hpp>

#include <cstdint>
#include <type_traits>

namespace quoit
{

struct region_options {
    std::uint64_t size_bytes = 0; // room for pieces, without the region's own header
    std::uint32_t permissions = 0;
    std::uint64_t data_bytes = 0; // zeroed memory for a type of your own: data<T>()
    std::uint32_t memory = 0;     // QUOIT_PREFAULT, ...
};

namespace detail
{
template <> struct calls<quoit_region> {
    static constexpr auto create = &quoit_region_create;
    static constexpr auto open = &quoit_region_open;
    static constexpr auto join = &quoit_region_join;
    static constexpr auto close = &quoit_region_close;
};
} // namespace detail

// join throws status::different if data_bytes is not the region's, or size_bytes is more than it
// has.
class region : public detail::flagless_makers<region, quoit_region, region_options>
{
    using base = detail::flagless_makers<region, quoit_region, region_options>;

  public:
    region() = default;                                 // empty: may be assigned to
    explicit region(quoit_region *r) noexcept : base(r) // which it then closes
    {
    }

    // Joins a region for one T that processes share. It is zeroed at creation. data<T>() returns
    // it.
    template <class T> [[nodiscard]] static region join_for(object_name n, flags f = flags::none)
    {
        region_options o;
        o.data_bytes = sizeof(T);
        return join(n, o, f);
    }
    // Returns the memory of data_bytes, zeroed at creation; nullptr if it is smaller than a T. You
    // synchronize the access: with a quoit::lock, one process at a time can use it.
    template <class T> [[nodiscard]] T *data() const noexcept
    {
        check_type<T>();
        static_assert(alignof(T) <= 64, "quoit::region: the data is aligned to 64");
        return data_bytes() < sizeof(T) ? nullptr : static_cast<T *>(quoit_region_data(raw()));
    }
    [[nodiscard]] std::uint64_t data_bytes() const noexcept
    {
        return quoit_region_data_bytes(raw());
    }

    // Allocates a zeroed piece, which cannot be freed. Returns ok, no_space, invalid, permission or
    // corrupt. offset_out is 0 unless it returns ok.
    [[nodiscard]] status try_alloc(std::uint64_t size_bytes, std::uint64_t align_bytes,
                                   std::uint64_t &offset_out) noexcept
    {
        offset_out = 0;
        return detail::from(quoit_region_alloc(raw(), size_bytes, align_bytes, &offset_out));
    }
    [[nodiscard]] std::uint64_t alloc(std::uint64_t size_bytes, std::uint64_t align_bytes)
    {
        std::uint64_t offset = 0;
        detail::check(try_alloc(size_bytes, align_bytes, offset));
        return offset;
    }
    // Allocates `count` objects of type T, one behind the other. Returns the offset; at<T>()
    // returns the address.
    template <class T> [[nodiscard]] std::uint64_t alloc(std::uint64_t count = 1)
    {
        check_type<T>();
        if (count > UINT64_MAX / sizeof(T))
            detail::raise(status::no_space);
        return alloc(count * sizeof(T), alignof(T));
    }

    // Returns the address of [offset, offset + size_bytes); nullptr if any of it is outside the
    // region.
    [[nodiscard]] void *at(std::uint64_t offset, std::uint64_t size_bytes) const noexcept
    {
        return quoit_region_at(raw(), offset, size_bytes);
    }
    // The same for `count` objects of type T; also nullptr if the offset is not aligned for a T.
    template <class T>
    [[nodiscard]] T *at(std::uint64_t offset, std::uint64_t count = 1) const noexcept
    {
        check_type<T>();
        if (offset % alignof(T) != 0 || count > UINT64_MAX / sizeof(T))
            return nullptr;
        return static_cast<T *>(at(offset, count * sizeof(T)));
    }

    // The offset at which other processes begin; 0 until it is set. Set it when the data at that
    // offset is complete.
    void set_root(std::uint64_t offset)
    {
        detail::check(quoit_region_set_root(raw(), offset));
    }
    [[nodiscard]] std::uint64_t root() const noexcept
    {
        return quoit_region_root(raw());
    }

    [[nodiscard]] std::uint64_t size() const noexcept // bytes of the whole region
    {
        return quoit_region_size(raw());
    }
    [[nodiscard]] std::uint64_t bytes_left() const noexcept
    {
        return quoit_region_bytes_left(raw());
    }

  private:
    friend class detail::makers<region, detail::handle<quoit_region>, region_options>;
    static quoit_region_options translated(const region_options &o) noexcept
    {
        quoit_region_options c = {};
        c.data_bytes = o.data_bytes;
        c.size_bytes = o.size_bytes;
        c.permissions = o.permissions;
        c.memory = o.memory;
        return c;
    }
    template <class T> static constexpr void check_type() noexcept
    {
        static_assert(std::is_object_v<T> && std::is_trivially_destructible_v<T>,
                      "quoit::region: a piece is never destroyed, so T must not need that");
        static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T>,
                      "quoit::region: a pointer leads nowhere in another process; keep an offset");
    }
};

} // namespace quoit

#endif
