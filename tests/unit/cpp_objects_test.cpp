// SPDX-License-Identifier: MIT
// <quoit.hpp>: pools, regions, locks and semaphores. Queues: cpp_test.cpp.
#include <quoit.hpp>

#include "test.hpp"

#include <array>
#include <chrono>
#include <mutex>
#include <random>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using quoit::status;

struct item {
    std::uint64_t number;
    double value;
};
constexpr quoit::flags both = quoit::producer | quoit::consumer;

static void pools()
{
    auto pool = quoit::pool::create("local:cpp-pool", {sizeof(item), 2});
    std::error_code code;
    CHECK(!quoit::pool::create("local:cpp-pool", {sizeof(item), 2}, quoit::flags::none, code));
    CHECK_EQ(code, status::exists);
    CHECK(quoit::pool::open("local:cpp-pool", quoit::observer, code) && !code);
    auto queue = quoit::block_queue::create("local:cpp", {2}, both);
    {
        quoit::block block = pool.alloc(), other = pool.alloc(), none;
        CHECK(pool.try_alloc(none) == status::exhausted && !none && !none.data());
        CHECK_THROWS(pool.alloc(), status::exhausted);
        block.as<item>().number = 7;
        CHECK_THROWS((block.as<std::array<char, 1000>>()), status::too_big);
        pool.push(queue, std::move(block));
        CHECK(!block && pool.try_push(queue, quoit::block()) == status::not_yours);
        other = pool.pop(queue); // and its blocks are free
        CHECK(other.as<item>().number == 7 && pool.free_count() == 1);
        CHECK(pool.try_pop(queue, none) == status::empty && !pool.try_pop(queue));
        CHECK(pool.try_pop_for(queue, none, 1ms) == status::empty && !pool.pop_for(queue, 1ms));
        CHECK_THROWS(pool.pop(queue, 1ms), status::empty);
        CHECK_EQ(pool.try_push_for(queue, std::move(other), 1s), status::ok);
        CHECK_EQ(pool.pop_for(queue, 1s)->as<item>().number, 7);
    }
    CHECK(pool.free_count() == 2 && pool.reclaim(queue) == 0 && pool.reclaim() == 0);
    pool.check();
    queue.unlink();
    quoit::unlink("local:cpp-pool");
}

static void regions()
{
    CHECK_THROWS(quoit::region::open("local:cpp"), status::not_found);
    auto region = quoit::region::join("local:cpp", {4096});
    CHECK(region && region.size() >= 4096 && region.root() == 0);
    CHECK_THROWS(quoit::region::create("local:cpp", {4096}), status::exists);
    CHECK_THROWS(quoit::region::join("local:cpp", {1 << 20}), status::different);
    std::error_code code;
    const quoit::flags none_set = quoit::flags::none;
    CHECK(!quoit::region::create("local:cpp", {4096}, none_set, code) && code == status::exists);
    auto other = quoit::region::join("local:cpp", {4096}, quoit::flags::none, code);
    CHECK(other && !code);

    const std::uint64_t before = region.bytes_left();
    const std::uint64_t offset = region.alloc<item>(10);
    CHECK(offset % alignof(item) == 0 && region.bytes_left() <= before - 10 * sizeof(item));
    item *const items = region.at<item>(offset, 10);
    CHECK(items && items[9].number == 0);
    items[9].number = 7;
    region.set_root(offset);
    CHECK(other.root() == offset && other.at<item>(offset, 10)[9].number == 7);
    CHECK_EQ(region.alloc(1, 64) % 64, 0);
    CHECK_THROWS(region.alloc(1 << 20, 1), status::no_space);
    CHECK_THROWS(region.alloc<item>(UINT64_MAX / 4), status::no_space);
    std::uint64_t none = 1;
    CHECK(region.try_alloc(1, 3, none) == status::invalid && none == 0);
    CHECK(!region.at(0, 1 << 20) && !region.at<item>(offset + 1));
    CHECK(!region.at<item>(offset, UINT64_MAX / 4));
    auto observer = quoit::region::open("local:cpp", quoit::observer);
    CHECK_THROWS(observer.alloc<item>(), status::permission);
    quoit::region moved = std::move(region);
    CHECK(!region && moved);
    moved.close();
    CHECK(!moved);
    quoit::unlink("local:cpp");
    CHECK(!quoit::region::open("local:cpp", quoit::flags::none, code) && code);
}

struct account {
    std::uint64_t balance;
};

static void shared_data()
{
    auto region = quoit::region::join_for<account>("local:cpp-data");
    auto other = quoit::region::join("local:cpp-data", {0, 0, sizeof(account)});
    CHECK(region.data_bytes() == sizeof(account) && region.data<account>()->balance == 0);
    region.data<account>()->balance = 7;
    CHECK(other.data<account>()->balance == 7);
    CHECK(!(other.data<std::array<account, 2>>()));
    CHECK_THROWS(quoit::region::join_for<item>("local:cpp-data"), status::different);
    quoit::unlink("local:cpp-data");
    auto pieces = quoit::region::create("local:cpp-data", {100});
    CHECK(!pieces.data<account>() && pieces.data_bytes() == 0);
    quoit::unlink("local:cpp-data");
}

// Used as std::mutex is used; and the state after a crash of the holder, here after close().
static void locks()
{
    auto lock = quoit::lock::join("local:cpp-lock"), other = quoit::lock::join("local:cpp-lock");
    std::error_code code;
    CHECK(!quoit::lock::create("local:cpp-lock", {}, quoit::flags::none, code) &&
          code == status::exists);
    {
        const std::lock_guard<quoit::lock> guard(lock);
        CHECK(!lock.abandoned() && lock.holder() != 0 && other.holder() == lock.holder());
        CHECK(!other.try_lock() && !lock.try_lock() && other.acquire(1ms) == status::timeout);
        std::unique_lock<quoit::lock> waiting(other, std::defer_lock);
        CHECK(!waiting.try_lock_for(1ms) && !waiting.try_lock());
        CHECK(!waiting.try_lock_until(std::chrono::steady_clock::now() + 1ms));
        CHECK(other.try_unlock() == status::not_yours);
        CHECK_THROWS(other.unlock(), status::not_yours);
    }
    CHECK(lock.holder() == 0 && other.try_lock_for(1s));
    other.close();
    CHECK(!other);
    {
        const std::unique_lock<quoit::lock> guard(lock, std::try_to_lock);
        CHECK(guard && lock.abandoned());
    }
    CHECK(lock.acquire() == status::ok && !lock.abandoned());
    lock.unlock();
    const auto observer = quoit::lock::open("local:cpp-lock", quoit::observer);
    CHECK(observer.holder() == 0);
    quoit::unlink("local:cpp-lock");
    CHECK_THROWS(quoit::lock::open("local:cpp-lock"), status::not_found);
}

// Empty handles, default constructed or moved from, fail without a crash.
static void empty_handles()
{
    quoit::lock lock;
    quoit::region region;
    quoit::semaphore semaphore;
    quoit::pool pool;
    quoit::block block;
    std::uint64_t offset = 0;
    CHECK(!lock && lock.acquire() == status::invalid && lock.try_unlock() == status::invalid);
    CHECK_THROWS(lock.lock(), status::invalid);
    CHECK_THROWS(lock.try_lock(), status::invalid);
    CHECK_THROWS(lock.holder(), status::invalid);
    CHECK(!region && region.size() == 0 && region.bytes_left() == 0 && region.root() == 0);
    CHECK(!region.data<account>() && !region.at(0, 1) && region.data_bytes() == 0);
    CHECK(region.try_alloc(1, 1, offset) == status::invalid);
    CHECK_THROWS(region.set_root(0), status::invalid);
    CHECK(!semaphore && semaphore.try_wait() == status::invalid);
    CHECK(semaphore.try_post() == status::invalid);
    CHECK_THROWS(semaphore.value(), status::invalid);
    CHECK(!pool && pool.try_alloc(block) == status::invalid && pool.blocks() == 0);
    CHECK(pool.block_bytes() == 0 && pool.free_count() == 0);
    CHECK_THROWS(pool.check(), status::invalid);
    CHECK_THROWS(pool.reclaim(), status::invalid);
    for (int i = 0; i < 2; i++) {
        lock.close();
        region.close();
        semaphore.close();
        pool.close();
    }
}

static void semaphores()
{
    const std::string name = "qt-cpp-" + std::to_string(std::random_device{}());
    const quoit::semaphore_options options = {1};
    CHECK_THROWS(quoit::semaphore::open(name), status::not_found);
    auto semaphore = quoit::semaphore::create(name, options);
    std::error_code code;
    CHECK(!quoit::semaphore::create(name, options, quoit::flags::none, code) &&
          code == status::exists);
    auto other = quoit::semaphore::join(name, options);
    CHECK(other && quoit::semaphore::open(name, quoit::flags::none, code) && !code);
    semaphore.wait();
    CHECK(other.try_wait() == status::timeout && other.try_wait_for(1ms) == status::timeout);
    CHECK_THROWS(other.wait(1ms), status::timeout);
    semaphore.post();
    CHECK_EQ(semaphore.try_post(), status::ok);
    other.wait(1s);
    CHECK(other.try_wait_for(1s) == status::ok && other.try_wait() == status::timeout);
    quoit::semaphore moved = std::move(other);
    CHECK(!other && moved.native_handle());
    quoit::semaphore::unlink(name, quoit::flags::none, code);
    CHECK(!code);
    CHECK_THROWS(quoit::semaphore::unlink(name), status::not_found);
}

int main()
{
    pools();
    regions();
    shared_data();
    locks();
    empty_handles();
    semaphores();
    return 0;
}
