// SPDX-License-Identifier: MIT
// No member of <quoit.hpp> copies a large item to the stack. Each is called from a thread whose
// stack is a quarter of the item. big_item_posix_test.c tests the typed C functions in the same
// way.
#include <quoit.hpp>

#include "test.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <pthread.h>

using namespace std::chrono_literals;
using quoit::status;

constexpr std::size_t item_bytes = 1024 * 1024, stack_bytes = 256 * 1024;

struct frame {
    unsigned char bytes[item_bytes];
};
QUOIT_DEFINE_QUEUE(frame, frame);
// A type without a default constructor.
struct framed {
    explicit framed(int) : bytes()
    {
    }
    unsigned char bytes[item_bytes];
};
// A type with a constructor that has a side effect.
struct zeroed {
    zeroed() : bytes()
    {
    }
    unsigned char bytes[item_bytes];
};

constexpr quoit::flags both = quoit::producer | quoit::consumer;
static_assert(sizeof(quoit::browse_range<quoit::queue<frame>>) < 1024);

template <class T> static bool is_full(quoit::queue<T> &queue, const T &item)
{
    bool thrown = false;
    try {
        queue.push(item, 1ms);
    } catch (const quoit::error &) {
        thrown = true;
    }
    return queue.try_push(item) == status::full && queue.try_push_for(item, 1ms) == status::full &&
           queue.try_push_many({&item, 1}).code == status::full && !queue.try_claim() && thrown;
}

template <class T> static bool is_empty(quoit::queue<T> &queue, T &room)
{
    bool thrown = false;
    try {
        delete new T(queue.pop(1ms));
    } catch (const quoit::error &) {
        thrown = true;
    }
    return queue.try_pop(room) == status::empty && queue.try_pop_for(room, 1ms) == status::empty &&
           queue.try_pop_many({&room, 1}).code == status::empty && !queue.try_peek() && thrown;
}

// Calls each form of push and pop. A form that returns an item returns it to the heap.
template <class T> static void items(quoit::kind kind, T *in, T *out)
{
    auto queue = quoit::queue<T>::create("local:big-item", {2, kind}, both);
    in->bytes[item_bytes - 1] = 7;
    CHECK(is_empty(queue, *out));
    CHECK_EQ(queue.try_push(*in), status::ok);
    queue.push(*in);
    CHECK(is_full(queue, *in));
    CHECK(queue.try_pop(*out) == status::ok && out->bytes[item_bytes - 1] == 7);
    CHECK(queue.try_pop_for(*out, 1ms) == status::ok && is_empty(queue, *out));

    CHECK_EQ(queue.try_push_for(*in, 1ms), status::ok);
    CHECK_EQ(std::unique_ptr<T>(new T(queue.pop()))->bytes[item_bytes - 1], 7);
    using optional = std::optional<T>;
    queue.push(*in);
    auto taken = std::unique_ptr<optional>(new optional(queue.try_pop()));
    CHECK(*taken && (*taken)->bytes[item_bytes - 1] == 7);
    taken.reset(new optional(queue.try_pop()));
    CHECK(!*taken);
    queue.push(*in);
    taken.reset(new optional(queue.next()));
    CHECK(*taken && (*taken)->bytes[item_bytes - 1] == 7);
    queue.push(*in);
    taken.reset(new optional(queue.pop_for(1ms)));
    CHECK(*taken && (*taken)->bytes[item_bytes - 1] == 7);
#ifdef __cpp_lib_expected
    queue.push(*in);
    using expected = std::expected<T, status>;
    auto popped = std::unique_ptr<expected>(new expected(queue.expect_pop()));
    CHECK_EQ((*popped)->bytes[item_bytes - 1], 7);
    popped.reset(new expected(queue.expect_pop(1ms)));
    CHECK_EQ(popped->error(), status::empty);
#endif
    CHECK(queue.push_many({in, 1}) == 1 && queue.pop_many({out, 1}) == 1);
    queue.unlink();
}

// The arguments from which each type is constructed.
static void emplace(quoit::queue<frame> &queue)
{
    queue.emplace();
}
static void emplace(quoit::queue<framed> &queue)
{
    queue.emplace(0);
}
static void emplace(quoit::queue<zeroed> &queue)
{
    queue.emplace();
}

template <class T> static void in_place(quoit::kind kind, T *in, T *out)
{
    auto queue = quoit::queue<T>::create("local:big-item", {2, kind}, both);
    auto seen = std::make_unique<std::optional<T>>();
    quoit::browser position = {};
    CHECK(queue.try_browse(position, *seen) == status::empty && !*seen);
    queue.push(*in);
    CHECK(queue.try_browse(position, *seen) == status::ok && (*seen)->bytes[item_bytes - 1] == 7);
    int count = 0;
    auto range = queue.browse();
    for (const T &item : range)
        count += item.bytes[item_bytes - 1];
    CHECK(count == 7 && queue.front().bytes[item_bytes - 1] == 7);
    queue.release();
    auto room = queue.claim_many(1);
    room[0].bytes[0] = 9;
    room.commit(1);
    CHECK_EQ(range.begin()->bytes[0], 9);
    CHECK(queue.try_pop(*out) == status::ok && out->bytes[0] == 9);
    auto claimed = queue.claim();
    claimed->bytes[0] = 10;
    claimed.commit();
    CHECK_EQ(queue.peek_many()[0].bytes[0], 10);
    CHECK(queue.empty());
    emplace(queue);
    CHECK_EQ(queue.consume_all([&count](const T &item) { count += item.bytes[0]; }), 1);
    CHECK_EQ(count, 7);
    queue.finish();
    auto end = std::unique_ptr<std::optional<T>>(new std::optional<T>(queue.next()));
    CHECK(!*end);
    queue.unlink();
}

static void typed(frame *in, frame *out)
{
    auto queue = quoit::queue<frame>::create("local:big-item", {1}, both);
    frame_queue raw = {nullptr};
    std::size_t count = 0;
    CHECK_EQ(frame_from(queue.native_handle(), &raw), QUOIT_OK);
    CHECK_EQ(frame_push(raw, in, QUOIT_NOW), QUOIT_OK);
    CHECK(frame_push(raw, in, QUOIT_NOW) == QUOIT_FULL && frame_push(raw, in, 1000) == QUOIT_FULL);
    CHECK_EQ(frame_pop(raw, out, QUOIT_NOW), QUOIT_OK);
    CHECK(frame_pop(raw, out, QUOIT_NOW) == QUOIT_EMPTY &&
          frame_pop(raw, out, 1000) == QUOIT_EMPTY);
    CHECK(frame_push(raw, in, 1000) == QUOIT_OK && frame_pop(raw, out, 1000) == QUOIT_OK);
    CHECK(frame_push_many(raw, in, 1, &count, QUOIT_NOW) == QUOIT_OK && count == 1);
    CHECK(frame_pop_many(raw, out, 1, &count, QUOIT_NOW) == QUOIT_OK && count == 1);
    queue.unlink();
}

template <class T> static void of_type(quoit::kind kind, std::unique_ptr<T> in)
{
    auto out = std::make_unique<T>(*in);
    items<T>(kind, in.get(), out.get());
    in_place<T>(kind, in.get(), out.get());
}

static void *run(void *)
{
    for (quoit::kind kind : {quoit::kind::spsc, quoit::kind::mpmc, quoit::kind::broadcast}) {
        of_type<frame>(kind, std::make_unique<frame>());
        of_type<framed>(kind, std::make_unique<framed>(0));
        of_type<zeroed>(kind, std::make_unique<zeroed>());
    }
    auto in = std::make_unique<frame>(), out = std::make_unique<frame>();
    typed(in.get(), out.get());
    return nullptr;
}

int main()
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, run, nullptr), 0);
    CHECK_EQ(pthread_join(thread, nullptr), 0);
    return 0;
}
