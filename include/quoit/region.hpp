// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about regions: named memory, handed out by offset.
#ifndef QUOIT_REGION_HPP
#define QUOIT_REGION_HPP

#include <quoit/handle.hpp>

#include <cstdint>
#include <system_error>
#include <type_traits>

namespace quoit
{

struct region_options {
    std::uint64_t size_bytes = 0; // room for pieces; the region's own header comes on top
    std::uint32_t permissions = 0;
};

class region
{
  public:
    region() = default;                                    // empty: may be assigned to
    explicit region(quoit_region *r) noexcept : region_(r) // which it then closes
    {
    }
    [[nodiscard]] static region create(object_name n, const region_options &o)
    {
        const made m = creating(n, o);
        return detail::made<region>(m.handle, m.code);
    }
    [[nodiscard]] static region open(object_name n, flags f = flags::none)
    {
        const made m = opening(n, f);
        return detail::made<region>(m.handle, m.code);
    }
    // Opens the region, or creates it. Throws status::different if it is smaller than that.
    [[nodiscard]] static region join(object_name n, const region_options &o, flags f = flags::none)
    {
        const made m = joining(n, o, f);
        return detail::made<region>(m.handle, m.code);
    }
    // The same; they return an empty handle and set ec if they fail.
    [[nodiscard]] static region create(object_name n, const region_options &o,
                                       std::error_code &ec) noexcept
    {
        const made m = creating(n, o);
        return detail::made<region>(m.handle, m.code, ec);
    }
    [[nodiscard]] static region open(object_name n, flags f, std::error_code &ec) noexcept
    {
        const made m = opening(n, f);
        return detail::made<region>(m.handle, m.code, ec);
    }
    [[nodiscard]] static region join(object_name n, const region_options &o, flags f,
                                     std::error_code &ec) noexcept
    {
        const made m = joining(n, o, f);
        return detail::made<region>(m.handle, m.code, ec);
    }

    explicit operator bool() const noexcept
    {
        return region_ != nullptr;
    }
    [[nodiscard]] quoit_region *native_handle() const noexcept
    {
        return region_.get();
    }
    void close() noexcept
    {
        region_.reset();
    }

    // Takes a zeroed piece for good. ok no_space invalid permission corrupt. offset_out is 0 unless
    // ok.
    [[nodiscard]] status try_alloc(std::uint64_t size_bytes, std::uint64_t align_bytes,
                                   std::uint64_t &offset_out) noexcept
    {
        offset_out = 0;
        return detail::from(
            quoit_region_allocate(region_.get(), size_bytes, align_bytes, &offset_out));
    }
    [[nodiscard]] std::uint64_t alloc(std::uint64_t size_bytes, std::uint64_t align_bytes)
    {
        std::uint64_t offset = 0;
        detail::check(try_alloc(size_bytes, align_bytes, offset));
        return offset;
    }
    // For so many T, one behind the other; the offset, and with at<T>() where they are.
    template <class T> [[nodiscard]] std::uint64_t alloc(std::uint64_t count = 1)
    {
        check_type<T>();
        if (count > UINT64_MAX / sizeof(T))
            detail::raise(status::no_space);
        return alloc(count * sizeof(T), alignof(T));
    }

    // Where [offset, offset + size_bytes) is in this process; nullptr if any of it is outside.
    [[nodiscard]] void *at(std::uint64_t offset, std::uint64_t size_bytes) const noexcept
    {
        return quoit_region_at(region_.get(), offset, size_bytes);
    }
    // Likewise for so many T; also nullptr if the offset is not aligned for one.
    template <class T>
    [[nodiscard]] T *at(std::uint64_t offset, std::uint64_t count = 1) const noexcept
    {
        check_type<T>();
        if (offset % alignof(T) != 0 || count > UINT64_MAX / sizeof(T))
            return nullptr;
        return static_cast<T *>(at(offset, count * sizeof(T)));
    }

    // The offset from which other processes begin; 0 until it is set. Set it when what it leads to
    // is complete.
    void set_root(std::uint64_t offset)
    {
        detail::check(quoit_region_set_root(region_.get(), offset));
    }
    [[nodiscard]] std::uint64_t root() const noexcept
    {
        return quoit_region_root(region_.get());
    }

    [[nodiscard]] std::uint64_t size() const noexcept // all of it
    {
        return quoit_region_size(region_.get());
    }
    [[nodiscard]] std::uint64_t bytes_left() const noexcept
    {
        return quoit_region_free(region_.get());
    }

  private:
    struct made {
        quoit_region *handle;
        quoit_status code;
    };
    static made creating(const char *name, const region_options &o) noexcept
    {
        const quoit_region_options c = {o.size_bytes, o.permissions};
        quoit_region *r = nullptr;
        const quoit_status s = quoit_region_create(name, &c, &r);
        return {r, s};
    }
    static made opening(const char *name, flags f) noexcept
    {
        quoit_region *r = nullptr;
        const quoit_status s = quoit_region_open(name, detail::bits(f), &r);
        return {r, s};
    }
    // Others may create and remove the name between the two calls, but not for ever.
    static made joining(const char *name, const region_options &o, flags f) noexcept
    {
        made m = {nullptr, QUOIT_ERROR_BUSY};
        for (int tries = 0; tries < 100; tries++) {
            m = opening(name, f);
            if (m.code == QUOIT_OK && quoit_region_size(m.handle) < o.size_bytes) {
                quoit_region_close(m.handle);
                return {nullptr, QUOIT_ERROR_DIFFERENT};
            }
            if (m.code != QUOIT_ERROR_NOT_FOUND)
                return m;
            m = creating(name, o);
            if (m.code != QUOIT_ERROR_EXISTS)
                return m;
        }
        return {nullptr, QUOIT_ERROR_BUSY};
    }
    template <class T> static constexpr void check_type() noexcept
    {
        static_assert(std::is_object_v<T> && std::is_trivially_destructible_v<T>,
                      "quoit::region: a piece is never destroyed, so T must not need that");
        static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T>,
                      "quoit::region: a pointer leads nowhere in another process; keep an offset");
    }

    detail::owner<quoit_region, quoit_region_close> region_;
};

} // namespace quoit

#endif
