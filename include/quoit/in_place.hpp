// SPDX-License-Identifier: MIT
/*
 * Part of <quoit.hpp>, which includes it: items in place, the objects that claim and peek return.
 *
 *     auto claimed = queue.claim();                 auto peeked = queue.peek();
 *     claimed->celsius = 20.5;                      use(*peeked);
 *     claimed.commit();                             peeked.release();
 *
 * The destructor of a claim discards the item unless it was committed. The destructor of a peek
 * releases the item, that is, takes it. If it runs because of an exception, the item stays queued,
 * and the next peek or pop returns it. A side of a queue has one claim or one peek at a time: a
 * later one replaces it. These objects must not outlive their queue.
 *
 * A try_... form returns an object that is false if the call failed; code() returns the status.
 */
#ifndef QUOIT_IN_PLACE_HPP
#define QUOIT_IN_PLACE_HPP

#include <quoit/handle.hpp>
#include <quoit/span.hpp>

#include <cstddef>
#include <exception>
#include <string_view>
#include <utility>

namespace quoit
{
namespace detail
{
template <class Queue, class Types> class queue_calls;

// A claim or a peek of a queue, or the status that the call returned instead.
class held
{
  public:
    explicit operator bool() const noexcept
    {
        return queue_ != nullptr;
    }
    [[nodiscard]] status code() const noexcept
    {
        return code_;
    }

  protected:
    held() = default;
    held(quoit_queue *queue, quoit_status s) noexcept
        : queue_(s == QUOIT_OK ? queue : nullptr), code_(from(s))
    {
    }
    held(held &&other) noexcept : queue_(other.queue_), code_(other.code_)
    {
        other.forget();
    }
    held &operator=(held &&) = delete;
    ~held() = default;

    void take_over(held &other) noexcept
    {
        queue_ = other.queue_;
        code_ = other.code_;
        other.forget();
    }
    quoit_queue *forget() noexcept
    {
        code_ = status::invalid;
        return std::exchange(queue_, nullptr);
    }
    quoit_queue *queue_ = nullptr;
    status code_ = status::invalid;
};

class claim : public held
{
  public:
    void discard() noexcept
    {
        if (queue_)
            (void)quoit_queue_discard(forget());
    }

  protected:
    claim() = default;
    claim(quoit_queue *queue, quoit_status s) noexcept : held(queue, s)
    {
    }
    claim(claim &&) = default;
    claim &operator=(claim &&other) noexcept
    {
        if (this == &other)
            return *this;
        if (queue_ != other.queue_) // otherwise the newer claim has replaced this one already
            discard();
        take_over(other);
        return *this;
    }
    ~claim()
    {
        discard();
    }
    template <class Commit> status commit_by(Commit commit) noexcept
    {
        quoit_queue *const queue = forget();
        const quoit_status s = commit(queue);
        if (s != QUOIT_OK && queue)
            (void)quoit_queue_discard(queue);
        return from(s);
    }
};

class peek : public held
{
  public:
    // Items that were not released stay in the queue.
    void keep() noexcept
    {
        (void)forget();
    }

  protected:
    peek() = default;
    peek(quoit_queue *queue, quoit_status s) noexcept : held(queue, s)
    {
    }
    peek(peek &&) = default;
    ~peek() = default;

    // Does the destructor run because of an exception that was thrown while the items were in use?
    [[nodiscard]] bool is_unwinding() const noexcept
    {
        return std::uncaught_exceptions() > exceptions_;
    }

    void take_over(peek &other) noexcept
    {
        held::take_over(other);
        exceptions_ = other.exceptions_;
    }

  private:
    int exceptions_ = std::uncaught_exceptions();
};

} // namespace detail

// ---- Claims --------------------------------------------------------------------------------- //

template <class T> class [[nodiscard]] claimed : public detail::claim
{
  public:
    claimed() = default; // empty
    [[nodiscard]] T *get() const noexcept
    {
        return item_;
    }
    T &operator*() const noexcept
    {
        return *item_;
    }
    T *operator->() const noexcept
    {
        return item_;
    }
    void commit()
    {
        detail::check(try_commit());
    }
    [[nodiscard]] status try_commit() noexcept
    {
        return commit_by([](quoit_queue *queue) { return quoit_queue_commit(queue, sizeof(T)); });
    }

  private:
    template <class> friend class queue;
    claimed(quoit_queue *queue, quoit_status s, void *item) noexcept
        : detail::claim(queue, s), item_(static_cast<T *>(item))
    {
    }
    T *item_ = nullptr;
};

// Room for several items, one behind the other; the first ones are committed at once.
template <class T> class [[nodiscard]] claimed_many : public detail::claim
{
  public:
    claimed_many() = default; // empty
    [[nodiscard]] span<T> items() const noexcept
    {
        return items_;
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return items_.size();
    }
    T &operator[](std::size_t at) const noexcept
    {
        return items_[at];
    }
    auto begin() const noexcept
    {
        return items_.begin();
    }
    auto end() const noexcept
    {
        return items_.end();
    }
    void commit()
    {
        commit(size());
    }
    void commit(std::size_t count)
    {
        detail::check(try_commit(count));
    }
    [[nodiscard]] status try_commit(std::size_t count) noexcept
    {
        return commit_by(
            [count](quoit_queue *queue) { return quoit_queue_commit_many(queue, count); });
    }

  private:
    template <class> friend class queue;
    claimed_many(quoit_queue *queue, quoit_status s, void *items, std::size_t count) noexcept
        : detail::claim(queue, s), items_(static_cast<T *>(items), count)
    {
    }
    span<T> items_;
};

// Room for one message. commit(bytes) publishes the first bytes of it.
class [[nodiscard]] claimed_message : public detail::claim
{
  public:
    claimed_message() = default; // empty
    [[nodiscard]] std::byte *data() const noexcept
    {
        return room_.data();
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return room_.size();
    }
    std::byte &operator[](std::size_t at) const noexcept
    {
        return room_[at];
    }
    [[nodiscard]] span<std::byte> room() const noexcept
    {
        return room_;
    }
    void commit()
    {
        commit(size());
    }
    void commit(std::size_t bytes)
    {
        detail::check(try_commit(bytes));
    }
    [[nodiscard]] status try_commit(std::size_t bytes) noexcept
    {
        return commit_by([bytes](quoit_queue *queue) { return quoit_queue_commit(queue, bytes); });
    }

  private:
    friend class message_queue;
    claimed_message(quoit_queue *queue, quoit_status s, void *room, std::size_t bytes) noexcept
        : detail::claim(queue, s), room_(static_cast<std::byte *>(room), bytes)
    {
    }
    span<std::byte> room_;
};

// ---- Peeks ---------------------------------------------------------------------------------- //

namespace detail
{
// A peek at one item or message.
class peek_one : public peek
{
  public:
    void release()
    {
        detail::check(try_release());
    }
    [[nodiscard]] status try_release() noexcept
    {
        return from(quoit_queue_release(forget()));
    }

  protected:
    peek_one() = default;
    peek_one(quoit_queue *queue, quoit_status s) noexcept : peek(queue, s)
    {
    }
    peek_one(peek_one &&) = default;
    peek_one &operator=(peek_one &&other) noexcept
    {
        if (this == &other)
            return *this;
        if (queue_ != other.queue_) // otherwise it is the same item
            drop();
        take_over(other);
        return *this;
    }
    ~peek_one()
    {
        drop();
    }

  private:
    void drop() noexcept
    {
        if (queue_ && !is_unwinding())
            (void)try_release();
    }
};
} // namespace detail

template <class T> class [[nodiscard]] peeked : public detail::peek_one
{
  public:
    peeked() = default; // empty
    [[nodiscard]] const T *get() const noexcept
    {
        return item_;
    }
    const T &operator*() const noexcept
    {
        return *item_;
    }
    const T *operator->() const noexcept
    {
        return item_;
    }

  private:
    template <class, class> friend class detail::queue_calls;
    peeked(quoit_queue *queue, quoit_status s, const void *item, std::size_t) noexcept
        : detail::peek_one(queue, s), item_(static_cast<const T *>(item))
    {
    }
    const T *item_ = nullptr;
};

// The next message; *peeked is a std::string_view of its bytes.
class [[nodiscard]] peeked_message : public detail::peek_one
{
  public:
    peeked_message() = default; // empty
    const std::string_view &operator*() const noexcept
    {
        return message_;
    }
    const std::string_view *operator->() const noexcept
    {
        return &message_;
    }
    [[nodiscard]] span<const std::byte> bytes() const noexcept
    {
        return {static_cast<const std::byte *>(static_cast<const void *>(message_.data())),
                message_.size()};
    }

  private:
    template <class, class> friend class detail::queue_calls;
    peeked_message(quoit_queue *queue, quoit_status s, const void *message,
                   std::size_t bytes) noexcept
        : detail::peek_one(queue, s), message_(static_cast<const char *>(message), bytes)
    {
    }
    std::string_view message_;
};

// The next items, one behind the other. release(count) takes the first `count` and leaves the
// others in the queue. The destructor and release() take all.
template <class T> class [[nodiscard]] peeked_many : public detail::peek
{
  public:
    peeked_many() = default; // empty
    peeked_many(peeked_many &&) = default;
    peeked_many &operator=(peeked_many &&other) noexcept
    {
        if (this == &other)
            return *this;
        if (queue_ != other.queue_) // otherwise they are the same items
            drop();
        take_over(other);
        items_ = other.items_;
        return *this;
    }
    ~peeked_many()
    {
        drop();
    }
    [[nodiscard]] span<const T> items() const noexcept
    {
        return items_;
    }
    [[nodiscard]] std::size_t size() const noexcept
    {
        return items_.size();
    }
    const T &operator[](std::size_t at) const noexcept
    {
        return items_[at];
    }
    auto begin() const noexcept
    {
        return items_.begin();
    }
    auto end() const noexcept
    {
        return items_.end();
    }
    void release()
    {
        release(size());
    }
    void release(std::size_t count)
    {
        detail::check(try_release(count));
    }
    [[nodiscard]] status try_release(std::size_t count) noexcept
    {
        return detail::from(quoit_queue_release_many(forget(), count));
    }

  private:
    template <class> friend class queue;
    peeked_many(quoit_queue *queue, quoit_status s, const void *items, std::size_t count) noexcept
        : detail::peek(queue, s), items_(static_cast<const T *>(items), count)
    {
    }
    void drop() noexcept
    {
        if (queue_ && !is_unwinding())
            (void)try_release(size());
    }
    span<const T> items_;
};

} // namespace quoit

#endif
