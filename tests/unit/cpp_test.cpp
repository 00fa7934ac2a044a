// SPDX-License-Identifier: MIT
// <quoit.hpp>: each call by status and by exception, moves, in place, watching, pools, and two
// processes. What must not compile is in cpp_refusals.cpp.
#include <quoit.hpp>

#include "statuses.h"

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

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                        \
        }                                                                        \
    } while (0)

// The code that the call throws.
#define CHECK_THROWS(call, expected)                            \
    do {                                                        \
        status thrown = status::ok;                             \
        try {                                                   \
            (void)(call);                                       \
        } catch (const quoit::error &error) {                   \
            thrown = static_cast<status>(error.code().value()); \
        }                                                       \
        CHECK(thrown == (expected));                            \
    } while (0)

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
constexpr quoit::role both = quoit::producer | quoit::consumer;

static_assert(std::is_nothrow_move_constructible_v<quoit::queue<item>>);
static_assert(std::is_nothrow_move_assignable_v<quoit::sized_queue>);
static_assert(!std::is_copy_constructible_v<quoit::queue<item>>);
static_assert(!std::is_copy_assignable_v<quoit::block>);
static_assert(std::is_error_code_enum_v<status>);
static_assert(quoit::timeout(2ms).ns() == 2000000 && quoit::timeout(-1s).ns() == 0);
static_assert(quoit::timeout(std::chrono::hours::max()).ns() == QUOIT_FOREVER);
static_assert(quoit::timeout(std::chrono::duration<double>(0.5)).ns() == 500000000);

static void codes()
{
#define STATUS(name, number)                                                      \
    CHECK(quoit::make_error_code(static_cast<status>(name)).value() == (number)); \
    CHECK(quoit::make_error_code(static_cast<status>(name)).message() == quoit_describe(name));
    TEST_STATUSES(STATUS)
#undef STATUS
    std::error_code code = status::timeout;
    CHECK(code == status::timeout && code == std::errc::timed_out && code != status::full);
    CHECK(std::string(code.category().name()) == "quoit");
    CHECK(std::error_code(status::not_found) == std::errc::no_such_file_or_directory);
}

static void making()
{
    CHECK_THROWS(quoit::queue<item>::open("local:cpp", both), status::not_found);
    auto queue = quoit::queue<item>::create("local:cpp", {5}, both);
    CHECK(queue && queue.capacity() == 5 && queue.empty() && !queue.full());
    try {
        (void)quoit::queue<item>::join("local:cpp", {9}, quoit::observer);
        CHECK(false);
    } catch (const std::system_error &error) {
        CHECK(error.code() == status::different);
        CHECK(std::string(error.what()).find("capacity is 5 there, 9 was asked for") !=
              std::string::npos);
    }
    try {
        (void)quoit::queue<int>::open("local:cpp", quoit::observer);
        CHECK(false);
    } catch (const quoit::error &error) {
        CHECK(error.code() == status::different);
        CHECK(std::string(error.what())
                  .find("items of 16 bytes, this is a quoit::queue of items "
                        "of 4 bytes") != std::string::npos);
    }
    CHECK_THROWS(quoit::sized_queue::open("local:cpp", quoit::observer), status::different);
    std::error_code code;
    CHECK(!quoit::queue<int>::open("local:cpp", quoit::observer, code));
    CHECK(code == status::different);
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
    queue.close();
    CHECK(!queue);
}

static void items(quoit::options options)
{
    auto queue = quoit::queue<item>::create("local:cpp", options, both);
    item out = {0, 0};
    CHECK(queue.try_pop(out) == status::empty && !queue.try_pop());
    CHECK(queue.try_pop_for(out, 1ms) == status::timeout);
    CHECK(queue.try_pop_for(out, -1s) == status::timeout);
    CHECK_THROWS(queue.pop(1ms), status::timeout);
    CHECK(queue.try_push({1, 0.5}) == status::ok);
    queue.push({2, 0.5});
    CHECK(queue.full() && queue.size() == 2 && queue.try_push({3, 0.5}) == status::full);
    CHECK(queue.try_push_for({3, 0.5}, 1ms) == status::timeout);
    CHECK_THROWS(queue.push({3, 0.5}, 1ms), status::timeout);

    quoit_cursor seen = {};
    std::vector<std::uint64_t> numbers;
    auto watch = queue.watch(seen);
    for (const item &i : watch)
        numbers.push_back(i.number);
    CHECK(numbers == (std::vector<std::uint64_t>{1, 2}) && queue.size() == 2);
    CHECK(watch.begin() == watch.end());

    CHECK(queue.front().number == 1);
    queue.release();
    CHECK(queue.pop().number == 2);
    CHECK_THROWS(queue.front(), status::empty);
    CHECK_THROWS(queue.release(), status::invalid);
    quoit::span<item> room;
    CHECK(queue.try_claim(1, room) == status::ok && room.size() == 1);
    room[0] = {3, 0.5};
    queue.commit(1);
    CHECK(watch.begin()->number == 3);
    CHECK(queue.try_pop()->number == 3);

    const std::array<item, 3> three = {item{4, 0}, item{5, 0}, item{6, 0}};
    item some[3] = {};
    CHECK(queue.push_many(three) == 2 && queue.pop_many(some) == 2 && some[1].number == 5);
    queue.push({7, 0});
    queue.finish();
    CHECK(queue.finished() && queue.try_push({8, 0}) == status::finished);
    CHECK_THROWS(queue.push({8, 0}), status::finished);
    CHECK(queue.next()->number == 7 && !queue.next());
    CHECK(!queue.try_pop());
    CHECK_THROWS(queue.pop(), status::finished);
    queue.unlink();
}

static void without_default_constructor()
{
    auto queue = quoit::queue<made>::create("local:cpp", {2}, both);
    queue.push(made(7));
    CHECK(queue.front().number == 7 && queue.pop().number == 7);
    queue.push(made(8));
    CHECK(queue.watch().begin()->number == 8 && queue.try_pop()->number == 8);
    queue.unlink();
}

static void roles()
{
    auto queue = quoit::queue<item>::create("local:cpp", {2}, quoit::producer);
    item out = {0, 0};
    CHECK(queue.try_pop(out) == status::wrong_role);
    CHECK_THROWS(queue.try_pop(), status::wrong_role);
    CHECK_THROWS(quoit::queue<item>::open("local:cpp", quoit::producer), status::role_taken);
    queue.unlink();
}

static void lossy()
{
    auto queue = quoit::queue<item>::create(
        "local:cpp", {4, quoit::kind::broadcast, {}, quoit::overrun::lossy}, both);
    for (std::uint64_t i = 0; i < 100; i++)
        queue.push({i, 0});
    CHECK(queue.pop().number == queue.missed() && queue.missed() > 0);
    queue.unlink();
}

static void messages(quoit::kind kind)
{
    quoit::options options = {8, kind};
    options.message_bytes = 100;
    auto queue = quoit::sized_queue::create("local:cpp", options, both);
    CHECK(!queue.try_pop());
    CHECK_THROWS(queue.pop(5ms), status::timeout);
    queue.push("hello");
    CHECK(queue.try_push(std::string(101, 'x')) == status::too_big);
    CHECK(queue.try_push(std::string_view("", 0)) == status::ok);
    std::vector<std::string> seen;
    for (const std::string &message : queue.watch())
        seen.push_back(message);
    CHECK(seen == (std::vector<std::string>{"hello", ""}));
    char buffer[10];
    std::uint64_t bytes = 0;
    CHECK(queue.try_pop(buffer, 2, bytes) == status::too_big && bytes == 5);
    CHECK(queue.front() == "hello");
    queue.release();
    CHECK(queue.pop().empty());
    quoit::span<std::byte> room;
    CHECK(queue.try_claim(50, room) == status::ok && room.size() == 50);
    queue.give_up();
    CHECK(queue.try_claim(50, room) == status::ok);
    room[0] = std::byte{'a'};
    queue.commit(1);
    CHECK(queue.try_pop_for(buffer, sizeof buffer, bytes, 1s) == status::ok && bytes == 1);
    queue.finish();
    CHECK(!queue.next());
    queue.unlink();
}

static void pools()
{
    auto pool = quoit::pool::create("local:cpp-pool", {sizeof(item), 2});
    auto queue = quoit::block_queue::create("local:cpp", {2}, both);
    {
        quoit::block block = pool.allocate(), other = pool.allocate(), none;
        CHECK(pool.try_allocate(none) == status::exhausted && !none && !none.data());
        CHECK_THROWS(pool.allocate(), status::exhausted);
        block.as<item>().number = 7;
        CHECK_THROWS((block.as<std::array<char, 1000>>()), status::too_big);
        pool.push(queue, std::move(block));
        CHECK(!block && pool.try_push(queue, quoit::block()) == status::not_yours);
        other = pool.pop(queue); // and what it had is free
        CHECK(other.as<item>().number == 7 && pool.free_count() == 1);
        CHECK(pool.try_pop(queue, none) == status::empty);
        CHECK_THROWS(pool.pop(queue, 1ms), status::timeout);
    }
    CHECK(pool.free_count() == 2 && pool.reclaim(queue) == 0 && pool.reclaim() == 0);
    pool.check();
    queue.unlink();
    quoit::pool::unlink("local:cpp-pool");
}

enum { SENT = 20000 };

// Another process, this program again, sends; this one receives.
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
        CHECK(i->number == expected++);
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
    for (quoit::kind kind : {quoit::kind::spsc, quoit::kind::mpmc, quoit::kind::broadcast})
        for (quoit::tuning tuning : {quoit::tuning::items, quoit::tuning::spans}) {
            items({2, kind, tuning});
            messages(kind);
        }
    without_default_constructor();
    roles();
    lossy();
    pools();
    processes(argv[0]);
    return 0;
}
