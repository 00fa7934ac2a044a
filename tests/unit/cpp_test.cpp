// SPDX-License-Identifier: MIT
// <quoit.hpp>: each call by status and by exception, moves, empty handles, browsing, and two
// processes. In place and messages: cpp_in_place_test.cpp; pools, regions and semaphores:
// cpp_objects_test.cpp; code that must not compile: cpp_refusals.cpp.
#include <quoit.hpp>

#include "statuses.h"
#include "test.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using quoit::status;

struct item {
    std::uint64_t number;
    double value;
};
// Trivially copyable, without a default constructor.
struct made {
    explicit made(int n) : number(n)
    {
    }
    int number;
};
static_assert(quoit::is_sendable_v<item> && quoit::is_sendable_v<made>);
static_assert(!quoit::is_sendable_v<std::string> && !quoit::is_sendable_v<int *>);
static_assert(!quoit::is_sendable_v<const int> && !quoit::is_sendable_v<int &>);
#ifdef __cpp_concepts
static_assert(quoit::sendable<item> && !quoit::sendable<std::string>);
#endif
#ifdef __cpp_lib_span
static_assert(std::is_same_v<quoit::span<int>, std::span<int>>);
#endif
static_assert(std::is_convertible_v<std::vector<int> &, quoit::span<const int>>);
static_assert(!std::is_convertible_v<const std::vector<int> &, quoit::span<int>>);
static_assert(!std::is_convertible_v<std::vector<int> &, quoit::span<item>>);

constexpr quoit::flags both = quoit::producer | quoit::consumer;

static_assert(std::is_nothrow_move_constructible_v<quoit::queue<item>>);
static_assert(std::is_nothrow_move_assignable_v<quoit::message_queue>);
static_assert(!std::is_copy_constructible_v<quoit::queue<item>>);
static_assert(!std::is_copy_assignable_v<quoit::block>);
static_assert(std::is_nothrow_move_constructible_v<quoit::claimed<item>>);
static_assert(std::is_nothrow_move_assignable_v<quoit::peeked_many<item>>);
static_assert(!std::is_copy_constructible_v<quoit::peeked_message>);
static_assert(std::is_nothrow_move_constructible_v<quoit::region>);
static_assert(std::is_nothrow_move_assignable_v<quoit::semaphore>);
static_assert(std::is_error_code_enum_v<status>);
static_assert(quoit::timeout(2ms).ns() == 2000000 && quoit::timeout(-1s).ns() == 0);
static_assert(quoit::timeout(std::chrono::hours::max()).ns() == QUOIT_FOREVER);
static_assert(quoit::timeout(std::chrono::duration<double>(0.5)).ns() == 500000000);

static void codes()
{
#define STATUS(name, number)                                                      \
    CHECK(quoit::make_error_code(static_cast<status>(name)).value() == (number)); \
    CHECK_EQ(quoit::make_error_code(static_cast<status>(name)).message(), quoit_describe(name));
    TEST_STATUSES(STATUS)
#undef STATUS
    std::error_code code = status::timeout;
    CHECK(code == status::timeout && code == std::errc::timed_out && code != status::full);
    CHECK_EQ(std::string(code.category().name()), "quoit");
    CHECK(std::error_code(status::not_found) == std::errc::no_such_file_or_directory);
}

static void making()
{
    CHECK_THROWS(quoit::queue<item>::open("local:cpp", both), status::not_found);
    auto queue = quoit::queue<item>::create("local:cpp", {5}, both);
    CHECK(queue && queue.capacity() == 5 && queue.empty() && !queue.full());
    auto other = queue.again(quoit::observer);
    CHECK(other.capacity() == 5 && other.native_handle() != queue.native_handle());
    CHECK_THROWS(queue.again(both), status::role_taken);
    other.close();
    try {
        (void)quoit::queue<item>::join("local:cpp", {9}, quoit::observer);
        CHECK(false);
    } catch (const std::system_error &error) {
        CHECK_EQ(error.code(), status::different);
        CHECK(std::string(error.what()).find("capacity is 5, but 9 was requested") !=
              std::string::npos);
    }
    try {
        (void)quoit::queue<int>::open("local:cpp", quoit::observer);
        CHECK(false);
    } catch (const quoit::error &error) {
        CHECK_EQ(error.code(), status::different);
        CHECK(std::string(error.what())
                  .find("items of 16 bytes, this is a quoit::queue of items "
                        "of 4 bytes") != std::string::npos);
    }
    CHECK_THROWS(quoit::message_queue::open("local:cpp", quoit::observer), status::different);
    std::error_code code;
    CHECK(!quoit::queue<int>::open("local:cpp", quoit::observer, code));
    CHECK_EQ(code, status::different);
    CHECK(!quoit::message_queue::open("local:cpp", quoit::observer, code));
    CHECK_EQ(code, status::different);
    CHECK(!quoit::queue<item>::create(std::string("local:cpp"), {5}, both, code));
    CHECK(code == std::errc::file_exists);
    CHECK(quoit::queue<item>::join("local:cpp", {5}, quoit::observer, code) && !code);

    quoit::queue<item> moved = std::move(queue);
    CHECK(!queue && moved);
    queue = std::move(moved);
    queue.push({1, 0.5});
    CHECK(queue.inspect().pushed == 1 && queue.members().size() >= 1);
    queue.check();
    queue.unlink();
    CHECK_THROWS(quoit::unlink("local:cpp"), status::not_found);
    quoit::unlink("local:cpp", quoit::any_owner, code);
    CHECK_EQ(code, status::not_found);
    queue.close();
    CHECK(!queue);
}

static void options()
{
    quoit::options options = {5, quoit::kind::broadcast, quoit::when_full::drop_oldest};
    options.user_bytes = 64;
    auto queue = quoit::queue<item>::create("local:cpp", options, both);
    const quoit_queue_info info = queue.inspect();
    CHECK(info.kind == QUOIT_BROADCAST && info.when_full == QUOIT_DROP_OLDEST);
    CHECK(info.user_bytes == 64 && queue.user_area() && info.messages == 0);
    queue.unlink();
    options = {5};
    options.message_bytes = 100;
    auto messages = quoit::message_queue::create("local:cpp", options, both);
    CHECK(messages.inspect().messages == 1 && messages.inspect().item_bytes == 100);
    CHECK(!messages.user_area());
    messages.unlink();
    CHECK_THROWS(quoit::message_queue::create("local:cpp", {5}, both), status::invalid);
}

// Every call of an empty handle returns or throws status::invalid.
template <class Queue> static void empty_snapshots(Queue &queue)
{
    CHECK(!queue && !queue.native_handle() && queue.size() == 0 && queue.capacity() == 0);
    CHECK(queue.empty() && !queue.full() && !queue.finished());
    CHECK(queue.missed() == 0 && !queue.user_area());
    CHECK_THROWS(queue.finish(), status::invalid);
    CHECK_THROWS(queue.unlink(), status::invalid);
    CHECK_THROWS(queue.release(), status::invalid);
    CHECK_THROWS(queue.poll_fd(quoit::events::items), status::invalid);
    CHECK_THROWS(queue.interrupt(), status::invalid);
    quoit_wait waits[] = {queue.waits_for(quoit::events::both)};
    CHECK_THROWS(quoit::wait_any(waits), status::invalid);
    CHECK_THROWS(queue.inspect(), status::invalid);
    CHECK_THROWS(queue.members(), status::invalid);
    CHECK_THROWS(queue.check(), status::invalid);
    CHECK_THROWS(queue.pop(), status::invalid);
    CHECK_THROWS(queue.try_pop(), status::invalid);
    CHECK_THROWS(queue.pop_for(1ms), status::invalid);
    CHECK_THROWS(queue.next(), status::invalid);
    CHECK_THROWS(queue.peek(), status::invalid);
    CHECK_THROWS(queue.front(), status::invalid);
    CHECK_EQ(queue.try_peek().code(), status::invalid);
    CHECK_THROWS(queue.consume_all([](const auto &) {}), status::invalid);
    CHECK_THROWS(queue.browse().begin(), status::invalid);
    queue.close();
}

static void empty_handles()
{
    quoit::queue<item> moved = quoit::queue<item>::create("local:cpp", {5}, both);
    moved.unlink();
    quoit::queue<item> items, owner = std::move(moved);
    item out = {0, 0};
    for (quoit::queue<item> *queue : {&items, &moved}) {
        empty_snapshots(*queue);
        CHECK(queue->try_push(out) == status::invalid && queue->try_pop(out) == status::invalid);
        CHECK_EQ(queue->try_push_for(out, 1ms), status::invalid);
        CHECK_THROWS(queue->push(out), status::invalid);
        CHECK_THROWS(queue->emplace(1u, 0.5), status::invalid);
        CHECK_THROWS(queue->claim(), status::invalid);
        CHECK_EQ(queue->try_claim_many(2).code(), status::invalid);
        CHECK_EQ(queue->try_peek_many().code(), status::invalid);
        CHECK_EQ(queue->try_push_many({&out, 1}).code, status::invalid);
        const auto [code, count] = queue->try_pop_many({&out, 1});
        CHECK(code == status::invalid && count == 0);
    }
    quoit::message_queue messages;
    empty_snapshots(messages);
    CHECK_EQ(messages.try_push("x"), status::invalid);
    CHECK_THROWS(messages.push("x"), status::invalid);
    CHECK_THROWS(messages.claim(1), status::invalid);

    quoit::claimed<item> claimed;
    quoit::peeked<item> peeked;
    CHECK(!claimed && claimed.try_commit() == status::invalid);
    CHECK(!peeked && peeked.try_release() == status::invalid);
    CHECK_THROWS(quoit::claimed_message().commit(), status::invalid);
    CHECK_THROWS(quoit::peeked_many<item>().release(), status::invalid);

    quoit::pool pool;
    quoit::block block;
    CHECK(!pool && pool.blocks() == 0 && pool.free_count() == 0 && pool.block_bytes() == 0);
    CHECK(pool.try_alloc(block) == status::invalid && !block);
    quoit::block_queue blocks;
    CHECK_EQ(pool.try_push(blocks, std::move(block)), status::invalid);
    CHECK_THROWS(pool.pop(blocks), status::invalid);
    CHECK_THROWS(pool.check(), status::invalid);
    CHECK_THROWS(pool.reclaim(), status::invalid);
    CHECK_THROWS(quoit::block().as<item>(), status::not_yours);
    quoit::region region;
    CHECK(!region && region.size() == 0 && region.root() == 0 && region.bytes_left() == 0);
    CHECK(!region.at(0, 1) && !region.at<item>(0));
    CHECK_THROWS(region.alloc<item>(), status::invalid);
    CHECK_THROWS(region.set_root(64), status::invalid);
    quoit::semaphore semaphore;
    CHECK(!semaphore && semaphore.try_wait() == status::invalid);
    CHECK_THROWS(semaphore.post(), status::invalid);
    CHECK_THROWS(semaphore.value(), status::invalid);
}

static void items(quoit::options options)
{
    auto queue = quoit::queue<item>::create("local:cpp", options, both);
    item out = {0, 0};
    CHECK(queue.try_pop(out) == status::empty && !queue.try_pop() && !queue.pop_for(1ms));
    CHECK_EQ(queue.try_pop_for(out, 1ms), status::empty);
    CHECK_EQ(queue.try_pop_for(out, -1s), status::empty);
    CHECK_THROWS(queue.pop(1ms), status::empty);
    CHECK_THROWS(queue.next(1ms), status::empty);
    CHECK_EQ(queue.try_push({1, 0.5}), status::ok);
    queue.push({2, 0.5});
    CHECK(queue.full() && queue.size() == 2 && queue.try_push({3, 0.5}) == status::full);
    CHECK_EQ(queue.try_push_for({3, 0.5}, 1ms), status::full);
    CHECK_THROWS(queue.push({3, 0.5}, 1ms), status::full);

    quoit::browser seen = {};
    std::vector<std::uint64_t> numbers;
    auto range = queue.browse(seen);
    for (const item &i : range)
        numbers.push_back(i.number);
    CHECK(numbers == (std::vector<std::uint64_t>{1, 2}) && queue.size() == 2);
    CHECK(range.begin() == range.end());

    CHECK_EQ(queue.front().number, 1);
    queue.release();
    CHECK_EQ(queue.pop().number, 2);
    CHECK_THROWS(queue.front(), status::empty);
    CHECK_THROWS(queue.release(), status::invalid);
    quoit::claimed_many<item> room = queue.try_claim_many(1);
    CHECK(room && room.code() == status::ok && room.size() == 1);
    room[0] = {3, 0.5};
    room.commit(1);
    CHECK_EQ(range.begin()->number, 3);
    CHECK_EQ(queue.try_pop()->number, 3);

    const std::array<item, 3> three = {item{4, 0}, item{5, 0}, item{6, 0}};
    item some[3] = {};
    CHECK(queue.push_many(three) == 2 && queue.pop_many(some) == 2 && some[1].number == 5);
    CHECK_EQ(queue.try_pop_many(some).code, status::empty);
    CHECK_EQ(queue.try_pop_many_for(some, 1ms).code, status::empty);
    CHECK_THROWS(queue.pop_many(some, 1ms), status::empty);
    CHECK_EQ(queue.try_push_many({three.data(), 2}).count, 2);
    CHECK_EQ(queue.try_push_many_for(three, 1ms).code, status::full);
    CHECK_THROWS(queue.push_many(three, 1ms), status::full);
    const auto [code, count] = queue.try_pop_many(some);
    CHECK(code == status::ok && count == 2 && some[0].number == 4);

    // Written as for std::queue.
    queue.emplace(6u, 0.5);
    while (!queue.empty()) {
        CHECK_EQ(queue.front().number, 6);
        queue.pop();
    }
    decltype(queue) other;
    queue.swap(other);
    CHECK(!queue && other.size() == 0 && queue.try_push({7, 0}) == status::invalid);
    std::swap(queue, other);
    queue.push({7, 0});
    CHECK(!queue.finished());
    queue.finish();
    CHECK(queue.finished() && queue.try_push({8, 0}) == status::finished);
    CHECK_THROWS(queue.push({8, 0}), status::finished);
    CHECK(queue.next()->number == 7 && !queue.next());
    CHECK(!queue.try_pop() && !queue.pop_for(1s));
    CHECK_THROWS(queue.pop(), status::finished);
    queue.unlink();
}

static void without_default_constructor()
{
    auto queue = quoit::queue<made>::create("local:cpp", {2}, both);
    queue.push(made(7));
    CHECK(queue.front().number == 7 && queue.pop().number == 7);
    queue.emplace(8);
    CHECK(queue.browse().begin()->number == 8 && queue.try_pop()->number == 8);
    queue.unlink();
}

static void roles()
{
    auto queue = quoit::queue<item>::create("local:cpp", {2}, quoit::producer);
    item out = {0, 0};
    CHECK_EQ(queue.try_pop(out), status::wrong_role);
    CHECK_THROWS(queue.try_pop(), status::wrong_role);
    CHECK_EQ(queue.try_peek().code(), status::wrong_role);
    CHECK_THROWS(quoit::queue<item>::open("local:cpp", quoit::producer), status::role_taken);
    queue.unlink();
}

// Only "no item" is an empty optional. A crash of the producer is thrown.
static void abandonment()
{
    auto consumer = quoit::queue<item>::create("local:cpp", {2}, quoit::consumer);
    {
        auto producer = quoit::queue<item>::open("local:cpp", quoit::producer);
        producer.push({1, 0});
    }
    CHECK_EQ(consumer.next()->number, 1);
    CHECK_THROWS(consumer.pop_for(60s), status::abandoned);
    CHECK(!consumer.pop_for(1ms));
    consumer.unlink();
}

static void waiting_on_several()
{
    auto one = quoit::queue<item>::create("local:cpp", {1}, both);
    quoit::options eight = {1};
    eight.message_bytes = 8;
    auto other = quoit::message_queue::create("local:cpp2", eight, both);
    quoit_wait waits[] = {one.waits_for(quoit::events::both),
                          other.waits_for(quoit::events::items)};
    CHECK(quoit::wait_any(waits));
    CHECK(quoit::is_ready(waits[0], quoit::events::room));
    CHECK(!quoit::is_ready(waits[0], quoit::events::items));
    one.push({1, 0});
    other.push("text");
    CHECK(quoit::wait_any(waits));
    CHECK(!quoit::is_ready(waits[0], quoit::events::room));
    CHECK(quoit::is_ready(waits[0], quoit::events::items));
    CHECK(quoit::is_ready(waits[1], quoit::events::items));
    one.pop();
    other.pop();
    waits[0] = one.waits_for(quoit::events::items);
    CHECK(!quoit::wait_any(waits, 1ms));
    CHECK_EQ(quoit::try_wait_any_for(waits, 1ms), status::timeout);
    one.interrupt();
    CHECK_THROWS(quoit::wait_any(waits), status::interrupted);
    one.interrupt();
    CHECK_THROWS(one.pop(), status::interrupted);
    one.unlink();
    other.unlink();
}

static void dropping()
{
    auto queue = quoit::queue<item>::create(
        "local:cpp", {4, quoit::kind::broadcast, quoit::when_full::drop_oldest}, both);
    for (std::uint64_t i = 0; i < 100; i++)
        queue.push({i, 0});
    CHECK(queue.pop().number == queue.missed() && queue.missed() > 0);
    queue.unlink();
}

// The newest item stays, for each handle.
static void newest()
{
    auto queue = quoit::queue<item>::create(
        "local:cpp", {1, quoit::kind::broadcast, quoit::when_full::drop_oldest}, both);
    const auto observer = quoit::queue<item>::open("local:cpp", quoit::observer);
    item found = {};
    CHECK(!observer.latest() && observer.try_latest(found) == status::empty);
    for (std::uint64_t i = 1; i < 4; i++) {
        queue.push({i, 0.5});
        CHECK(observer.latest()->number == i && queue.latest()->number == i);
    }
    CHECK(queue.pop().number == 3 && observer.latest()->number == 3);
    CHECK(observer.try_latest(found) == status::ok && found.number == 3);
    queue.unlink();
    quoit::options options = {2, quoit::kind::broadcast};
    options.message_bytes = 100;
    auto messages = quoit::message_queue::create("local:cpp", options, both);
    CHECK(!messages.latest());
    messages.push("seven");
    messages.push("");
    CHECK(messages.latest() == "");
    CHECK(messages.pop() == "seven" && messages.pop().empty());
    messages.push("eight");
    std::string text = "a longer one";
    CHECK(messages.latest() == "eight" && messages.try_latest(text) == status::ok);
    CHECK(text == "eight");
    messages.unlink();
    auto other = quoit::queue<item>::create("local:cpp", {2}, both);
    CHECK_THROWS(other.latest(), status::unsupported);
    CHECK_THROWS(quoit::queue<item>().latest(), status::invalid);
    other.unlink();
}

#ifdef __cpp_lib_expected
static void expected()
{
    using items = quoit::queue<item>;
    CHECK_EQ(items::try_open("local:cpp", both).error(), status::not_found);
    auto queue = items::try_create("local:cpp", {2}, both).value();
    CHECK_EQ(quoit::queue<int>::try_open("local:cpp", quoit::observer).error(), status::different);
    CHECK_EQ(queue.expect_pop(1ms).error(), status::empty);
    queue.push({7, 0});
    CHECK_EQ(queue.expect_pop()->number, 7);
    queue.unlink();
    auto others = quoit::queue<made>::try_join("local:cpp", {2}, both);
    others->emplace(8);
    CHECK(others->expect_pop()->number == 8 && !others->expect_pop(1ms));
    others->unlink();
    quoit::options options = {2};
    options.message_bytes = 10;
    auto messages = quoit::message_queue::try_join("local:cpp", options, both);
    messages->push("seven");
    CHECK_EQ(messages->expect_pop(), "seven");
    messages->unlink();
}
#else
static void expected()
{
}
#endif

enum { SENT = 20000 };

// Another process of this program sends; this one receives.
static void processes(const std::string &program)
{
    const std::string name = "qt-cpp-" + std::to_string(std::random_device{}());
    const char *emulator = std::getenv("QUOIT_TEST_EMULATOR");
    auto queue = quoit::queue<item>::create(name, {16}, quoit::consumer);
    const std::string command = (emulator ? std::string(emulator) + " " : "") + program + " send " +
                                name;
    auto sender = std::async(std::launch::async, [&] { return std::system(command.c_str()); });
    const std::vector<std::string> names = quoit::list();
    CHECK(std::any_of(names.begin(), names.end(), [&](const std::string &found) {
        return found.find(name) != std::string::npos;
    }));
    std::uint64_t expected = 0;
    while (std::optional<item> i = queue.next(60s))
        CHECK_EQ(i->number, expected++);
    CHECK(expected == SENT && sender.get() == 0);
    queue.unlink();
}

static void send(const char *name)
{
    auto queue = quoit::queue<item>::open(name, quoit::producer);
    for (std::uint64_t i = 0; i < SENT; i++)
        queue.push({i, 0.5}, 60s);
    queue.finish();
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        send(argv[2]);
        return 0;
    }
    codes();
    making();
    options();
    empty_handles();
    for (quoit::kind kind : {quoit::kind::spsc, quoit::kind::mpmc, quoit::kind::broadcast})
        items({2, kind});
    without_default_constructor();
    roles();
    abandonment();
    waiting_on_several();
    dropping();
    newest();
    expected();
    processes(argv[0]);
    return 0;
}
