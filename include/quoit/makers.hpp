// SPDX-License-Identifier: MIT
// The common part of all objects, for C++: the arguments of calls, handles, and how an object is
// created, opened and joined.
#ifndef QUOIT_MAKERS_HPP
#define QUOIT_MAKERS_HPP

#include <quoit.h>
#include <quoit/status.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_expected
#include <expected>
#endif

namespace quoit
{

// ---- Arguments of calls --------------------------------------------------------------------- //

// Combine them with |: quoit::producer | quoit::consumer.
enum class flags : std::uint32_t {
    none = 0,
    producer = QUOIT_PRODUCER,
    consumer = QUOIT_CONSUMER,
    observer = QUOIT_OBSERVER,
    any_owner = QUOIT_ANY_OWNER,
    from_oldest = QUOIT_FROM_OLDEST,
    transient = QUOIT_TRANSIENT,
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
inline constexpr flags transient = flags::transient;

// Any std::chrono duration. More than 292 years waits for ever; a negative duration does not wait.
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

// A name, as <quoit.h> explains it: "products", "file:/var/tmp/products"; or nameless.
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
// For create, with transient: the queue is found by its fd() alone.
inline constexpr const char *nameless = nullptr;

// ---- Handles -------------------------------------------------------------------------------- //

namespace detail
{
constexpr std::uint32_t bits(flags f) noexcept
{
    return static_cast<std::uint32_t>(f);
}

// The C library's calls for one kind of object: create, open, join and close.
template <class Handle> struct calls;

// A handle of the C library. The destructor closes it. An empty handle (default constructed or
// moved from) may be used: calls return or throw status::invalid, and a snapshot returns 0.
template <class Handle> class handle
{
  public:
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }
    [[nodiscard]] Handle *native_handle() const noexcept
    {
        return handle_.get();
    }
    void close() noexcept
    {
        handle_.reset();
    }

  protected:
    using c_handle = Handle;
    handle() = default;
    explicit handle(Handle *h) noexcept : handle_(h)
    {
    }
    [[nodiscard]] Handle *raw() const noexcept
    {
        return handle_.get();
    }

    // Called by makers for an object that was opened or created: may this class use it?
    static quoit_status check_made(const Handle *) noexcept
    {
        return QUOIT_OK;
    }
    // Throws an error of its own if it can describe the failure better than quoit_describe.
    static void explain(const Handle *, status, const char *)
    {
    }

  private:
    struct closer {
        void operator()(Handle *h) const noexcept
        {
            calls<Handle>::close(h);
        }
    };
    std::unique_ptr<Handle, closer> handle_;
};

// create: it must not exist. open: it must exist. join: either. Object derives from this, and has
// translated(), which makes C options of Options; Base derives from handle.
template <class Object, class Base, class Options> class makers : public Base
{
  public:
    [[nodiscard]] static Object create(object_name n, const Options &o, flags f)
    {
        return thrown(creating(n, o, f), n);
    }
    [[nodiscard]] static Object open(object_name n, flags f)
    {
        return thrown(opening(n, f), n);
    }
    [[nodiscard]] static Object join(object_name n, const Options &o, flags f)
    {
        return thrown(joining(n, o, f), n);
    }

    // The same without exceptions: they return an empty handle and set ec if they fail.
    [[nodiscard]] static Object create(object_name n, const Options &o, flags f,
                                       std::error_code &ec) noexcept
    {
        return noted(creating(n, o, f), ec);
    }
    [[nodiscard]] static Object open(object_name n, flags f, std::error_code &ec) noexcept
    {
        return noted(opening(n, f), ec);
    }
    [[nodiscard]] static Object join(object_name n, const Options &o, flags f,
                                     std::error_code &ec) noexcept
    {
        return noted(joining(n, o, f), ec);
    }

#ifdef __cpp_lib_expected
    [[nodiscard]] static std::expected<Object, status> try_create(object_name n, const Options &o,
                                                                  flags f) noexcept
    {
        return expected(creating(n, o, f));
    }
    [[nodiscard]] static std::expected<Object, status> try_open(object_name n, flags f) noexcept
    {
        return expected(opening(n, f));
    }
    [[nodiscard]] static std::expected<Object, status> try_join(object_name n, const Options &o,
                                                                flags f) noexcept
    {
        return expected(joining(n, o, f));
    }
#endif

  protected:
    using c_handle = typename Base::c_handle;
    makers() = default;
    explicit makers(c_handle *h) noexcept : Base(h)
    {
    }

    struct result {
        Object object; // closes the handle if check_made refuses it
        status code;
    };
    static result checked(c_handle *h, quoit_status s) noexcept
    {
        result r = {Object(h), from(s)};
        if (r.code == status::ok)
            r.code = from(Object::check_made(h));
        return r;
    }
    static Object thrown(result r, const char *name)
    {
        if (r.code != status::ok) {
            Object::explain(r.object.native_handle(), r.code, name);
            raise(r.code);
        }
        return std::move(r.object);
    }

  private:
    static result creating(const char *name, const Options &o, flags f) noexcept
    {
        const auto c = Object::translated(o);
        c_handle *h = nullptr;
        const quoit_status s = calls<c_handle>::create(name, &c, bits(f), &h);
        return checked(h, s);
    }
    static result opening(const char *name, flags f) noexcept
    {
        c_handle *h = nullptr;
        const quoit_status s = calls<c_handle>::open(name, bits(f), &h);
        return checked(h, s);
    }
    static result joining(const char *name, const Options &o, flags f) noexcept
    {
        const auto c = Object::translated(o);
        c_handle *h = nullptr;
        const quoit_status s = calls<c_handle>::join(name, &c, bits(f), &h);
        return checked(h, s);
    }
    static Object noted(result r, std::error_code &ec) noexcept
    {
        ec = make_error_code(r.code);
        return r.code == status::ok ? std::move(r.object) : Object();
    }
#ifdef __cpp_lib_expected
    static std::expected<Object, status> expected(result r) noexcept
    {
        if (r.code != status::ok)
            return std::unexpected(r.code);
        return std::move(r.object);
    }
#endif
};

// For objects that need no flags.
template <class Object, class Handle, class Options>
class flagless_makers : public makers<Object, handle<Handle>, Options>
{
    using base = makers<Object, handle<Handle>, Options>;

  public:
    using base::create;
    using base::join;
    using base::open;
    [[nodiscard]] static Object create(object_name n, const Options &o)
    {
        return base::create(n, o, flags::none);
    }
    [[nodiscard]] static Object open(object_name n)
    {
        return base::open(n, flags::none);
    }
    [[nodiscard]] static Object join(object_name n, const Options &o)
    {
        return base::join(n, o, flags::none);
    }

  protected:
    flagless_makers() = default;
    explicit flagless_makers(Handle *h) noexcept : base(h)
    {
    }
};
} // namespace detail

} // namespace quoit

#endif
