// SPDX-License-Identifier: MIT
// Queues of messages, for C++. Each message has its own size.
#ifndef QUOIT_MESSAGE_QUEUE_HPP
#define QUOIT_MESSAGE_QUEUE_HPP

#include <quoit.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace quoit
{

namespace detail
{
struct message_types {
    using value_type = std::string;
    using argument = std::string_view;
    using reference = std::string_view;
    using peeked = peeked_message;

    static reference view(const void *message, std::size_t bytes) noexcept
    {
        return {static_cast<const char *>(message), bytes};
    }
    static constexpr void check_in_place() noexcept
    {
    }
};
} // namespace detail

// options.message_bytes is the size of the longest message. A std::string_view may be any bytes.
class message_queue : public detail::queue_calls<message_queue, detail::message_types>
{
    using base = detail::queue_calls<message_queue, detail::message_types>;

  public:
    using base::try_pop;
    message_queue() = default; // empty: may be assigned to

    // ---- Copying one ------------------------------------------------------------------------- //

    // Pushes a string that is constructed from these arguments.
    template <class... Arguments> void emplace(Arguments &&...arguments)
    {
        push(std::string(std::forward<Arguments>(arguments)...));
    }

    // Pops into a buffer. Returns ok, empty, finished or abandoned. too_big: bytes_out is the size
    // of the message, which stays.
    [[nodiscard]] status try_pop(void *buffer, std::size_t room_bytes,
                                 std::size_t &bytes_out) noexcept
    {
        return copy_out(buffer, room_bytes, bytes_out, QUOIT_NOW);
    }
    [[nodiscard]] status try_pop_for(void *buffer, std::size_t room_bytes, std::size_t &bytes_out,
                                     timeout t) noexcept
    {
        return copy_out(buffer, room_bytes, bytes_out, t.ns());
    }
    std::string pop(timeout t = forever)
    {
        std::string message;
        detail::check(assign(message, t.ns()));
        return message;
    }
#ifdef __cpp_lib_expected
    [[nodiscard]] std::expected<std::string, status> expect_pop(timeout t = forever)
    {
        std::string message;
        const status s = assign(message, t.ns());
        if (s != status::ok)
            return std::unexpected(s);
        return message;
    }
#endif

    // ---- In place: <quoit/in_place.hpp> ------------------------------------------------------ //

    claimed_message claim(std::size_t bytes, timeout t = forever)
    {
        claimed_message room = try_claim_for(bytes, t);
        detail::check(room.code());
        return room;
    }
    claimed_message try_claim(std::size_t bytes) noexcept
    {
        return try_claim_for(bytes, std::chrono::seconds(0));
    }
    claimed_message try_claim_for(std::size_t bytes, timeout t) noexcept
    {
        void *room = nullptr;
        const quoit_status s = quoit_queue_claim(raw(), bytes, &room, t.ns());
        return claimed_message(raw(), s, room, s == QUOIT_OK ? bytes : 0);
    }

    // Calls function(std::string_view) with each queued message. Does not wait. Returns how many
    // messages there were. A message is taken when function has returned. If it throws, it stays.
    template <class Function> std::uint64_t consume_all(Function &&function)
    {
        for (std::uint64_t count = 0;; count++) {
            std::string_view message;
            const status s = view_next(message, QUOIT_NOW);
            if (s != status::ok) {
                detail::check_taken(s);
                return count;
            }
            function(message);
            release();
        }
    }

    // ---- The newest message of a broadcast: any flags; it stays. ok empty busy --------------- //

    [[nodiscard]] status try_latest(std::string &message_out) const
    {
        std::size_t bytes = 0;
        quoit_status s = QUOIT_ERROR_TOO_BIG;
        while ((s = quoit_queue_latest(raw(), message_out.data(), message_out.size(), &bytes)) ==
               QUOIT_ERROR_TOO_BIG)
            message_out.resize(bytes);
        message_out.resize(bytes);
        return detail::from(s);
    }
    // Returns nothing if there never was a message.
    [[nodiscard]] std::optional<std::string> latest() const
    {
        std::string message;
        const status s = try_latest(message);
        detail::check_taken(s);
        return s == status::ok ? std::optional<std::string>(std::move(message)) : std::nullopt;
    }

    // ---- Browsing: any flags. ok empty finished; the browser moves on ------------------------ //

    [[nodiscard]] status try_browse(browser &b, std::optional<std::string> &message_out) const
    {
        std::uint64_t bytes = 0;
        quoit_status s = QUOIT_ERROR_TOO_BIG;
        std::string message;
        while ((s = quoit_queue_browse(raw(), &b, message.data(), message.size(), &bytes)) ==
               QUOIT_ERROR_TOO_BIG)
            message.resize(static_cast<std::size_t>(bytes));
        if (s == QUOIT_OK) {
            message.resize(static_cast<std::size_t>(bytes));
            message_out = std::move(message);
        }
        return detail::from(s);
    }

  private:
    friend detail::queue_makers_base<message_queue>;
    friend detail::queue_makers<message_queue>;
    friend base;
    explicit message_queue(quoit_queue *q) noexcept : base(q)
    {
    }
    static constexpr bool messages = true;

    status copy_in(std::string_view message, std::int64_t timeout_ns) noexcept
    {
        return detail::from(quoit_queue_push(raw(), message.data(), message.size(), timeout_ns));
    }
    status copy_out(void *buffer, std::size_t room_bytes, std::size_t &bytes_out,
                    std::int64_t timeout_ns) noexcept
    {
        return detail::from(quoit_queue_pop(raw(), buffer, room_bytes, &bytes_out, timeout_ns));
    }
    status view_next(std::string_view &message_out, std::int64_t timeout_ns) noexcept
    {
        const void *message = nullptr;
        std::size_t bytes = 0;
        const quoit_status s = peek_raw(message, bytes, timeout_ns);
        message_out = detail::message_types::view(message, bytes);
        return detail::from(s);
    }
    status assign(std::string &message_out, std::int64_t timeout_ns)
    {
        std::string_view view;
        const status s = view_next(view, timeout_ns);
        if (s != status::ok)
            return s;
        message_out.assign(view);
        return detail::from(quoit_queue_release(raw()));
    }
    status take(std::optional<std::string> &message_out, std::int64_t timeout_ns)
    {
        const status s = assign(message_out.emplace(), timeout_ns);
        if (s != status::ok)
            message_out.reset();
        return s;
    }

    static constexpr std::uint32_t item_align() noexcept
    {
        return 0;
    }
    static std::uint64_t item_bytes(const options &o) noexcept
    {
        return o.message_bytes;
    }
    static quoit_status check_type(const quoit_queue *q) noexcept
    {
        quoit_queue_info info = {};
        const quoit_status s = quoit_queue_inspect(q, &info);
        return s == QUOIT_OK && !fits(info) ? QUOIT_ERROR_DIFFERENT : s;
    }
    static bool fits(const quoit_queue_info &info) noexcept
    {
        return info.messages != 0;
    }
    static std::string describe()
    {
        return "quoit::message_queue";
    }
};

} // namespace quoit

#endif
