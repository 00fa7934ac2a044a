// SPDX-License-Identifier: MIT
// The part of <quoit.hpp>, which includes it, about messages that each have a length of their own.
#ifndef QUOIT_SIZED_QUEUE_HPP
#define QUOIT_SIZED_QUEUE_HPP

#include <quoit.hpp>

#include <string_view>
#include <utility>

namespace quoit
{

// options.message_bytes is the longest message. A std::string_view is any bytes.
class sized_queue : public detail::makers<sized_queue>
{
  public:
    using value_type = std::string;
    sized_queue() = default; // empty: only to be assigned to

    // ok full finished abandoned too_big; a wait: timeout in the place of full.
    status try_push(std::string_view message) noexcept
    {
        return detail::from(quoit_queue_push_sized(raw(), message.data(), message.size()));
    }
    status try_push_for(std::string_view message, timeout t) noexcept
    {
        return detail::from(
            quoit_queue_push_sized_wait(raw(), message.data(), message.size(), t.ns()));
    }
    void push(std::string_view message, timeout t = forever)
    {
        detail::check(try_push_for(message, t));
    }

    // ok empty finished abandoned too_big: bytes_out says how long it is, and it stays.
    status try_pop(void *buffer, std::uint64_t room_bytes, std::uint64_t &bytes_out) noexcept
    {
        return detail::from(quoit_queue_pop_sized(raw(), buffer, room_bytes, &bytes_out));
    }
    status try_pop_for(void *buffer, std::uint64_t room_bytes, std::uint64_t &bytes_out,
                       timeout t) noexcept
    {
        return detail::from(
            quoit_queue_pop_sized_wait(raw(), buffer, room_bytes, &bytes_out, t.ns()));
    }
    std::optional<std::string> try_pop() // nothing if it is empty, or the stream has ended
    {
        std::string message;
        const status s = take(message);
        if (s < status::ok)
            detail::raise(s);
        return s == status::ok ? std::optional<std::string>(std::move(message)) : std::nullopt;
    }
    std::string pop(timeout t = forever)
    {
        std::string message;
        detail::check(wait_and_take(message, t));
        return message;
    }
    std::optional<std::string> next(timeout t = forever) // pop, but nothing at the end
    {
        std::string message;
        const status s = wait_and_take(message, t);
        if (s == status::finished)
            return std::nullopt;
        detail::check(s);
        return message;
    }

    // In place: room for a message, of which commit pushes the first bytes; the next message, valid
    // until release().
    status try_claim(std::uint64_t bytes, span<std::byte> &room_out) noexcept
    {
        void *room = nullptr;
        const quoit_status s = quoit_queue_claim_sized(raw(), bytes, &room);
        room_out = span<std::byte>(static_cast<std::byte *>(room),
                                   s == QUOIT_OK ? static_cast<std::size_t>(bytes) : 0);
        return detail::from(s);
    }
    void commit(std::uint64_t bytes)
    {
        detail::check(quoit_queue_commit_sized(raw(), bytes));
    }
    void give_up()
    {
        detail::check(quoit_queue_commit(raw(), 0));
    } // what was claimed
    status try_peek(std::string_view &message_out) noexcept
    {
        const void *message = nullptr;
        std::uint64_t bytes = 0;
        const quoit_status s = quoit_queue_peek_sized(raw(), &message, &bytes);
        message_out = std::string_view(static_cast<const char *>(message),
                                       static_cast<std::size_t>(bytes));
        return detail::from(s);
    }
    std::string_view front()
    {
        std::string_view message;
        detail::check(try_peek(message));
        return message;
    }

    status try_look(quoit_cursor &cursor, std::optional<std::string> &message_out) const
    {
        std::uint64_t bytes = 0;
        quoit_status s = QUOIT_ERROR_TOO_BIG;
        std::string message;
        while ((s = quoit_queue_look(raw(), &cursor, message.data(), message.size(), &bytes)) ==
               QUOIT_ERROR_TOO_BIG)
            message.resize(static_cast<std::size_t>(bytes));
        if (s == QUOIT_OK) {
            message.resize(static_cast<std::size_t>(bytes));
            message_out = std::move(message);
        }
        return detail::from(s);
    }
    watcher<sized_queue> watch(quoit_cursor from = {}) const noexcept
    {
        return watcher<sized_queue>(*this, from);
    }

  private:
    friend class detail::makers<sized_queue>;
    explicit sized_queue(quoit_queue *q) noexcept : detail::makers<sized_queue>(q)
    {
    }
    static constexpr bool sized = true;
    static std::uint32_t item_bytes(const options &o) noexcept
    {
        return o.message_bytes;
    }
    static bool fits(const quoit_queue_info &info) noexcept
    {
        return info.sized;
    }
    static std::string describe()
    {
        return "quoit::sized_queue";
    }

    status take(std::string &message)
    {
        std::string_view view;
        const status s = try_peek(view);
        if (s != status::ok)
            return s;
        message.assign(view);
        release();
        return s;
    }
    // Of several consumers that were woken for one message, all but one wait on.
    status wait_and_take(std::string &message, timeout t)
    {
        using clock = std::chrono::steady_clock;
        const auto began = clock::now();
        status s = take(message);
        while (s == status::empty) {
            const auto passed = clock::now() - began;
            s = try_wait_for_items(t.ns() < 0 ? t
                                              : timeout(std::chrono::nanoseconds(t.ns()) - passed));
            if (s == status::ok)
                s = take(message);
        }
        return s;
    }
};

} // namespace quoit

#endif
