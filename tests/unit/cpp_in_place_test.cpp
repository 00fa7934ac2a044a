// SPDX-License-Identifier: MIT
// <quoit.hpp>: items in place, with the members and the destructors of claims and peeks;
// consume_all; and messages. cpp_test.cpp tests everything else of queues.
#include <quoit.hpp>

#include "test.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using quoit::status;

struct item {
    std::uint64_t number;
    double value;
};
constexpr quoit::flags both = quoit::producer | quoit::consumer;

// Tests the destructors of claims and peeks.
static void in_place(quoit::options options)
{
    auto queue = quoit::queue<item>::create("local:cpp", options, both);
    {
        auto claimed = queue.claim();
        *claimed = {1, 0.5};
        claimed->value = 1.5;
        CHECK(claimed && claimed.get() == &*claimed);
    }
    CHECK(queue.try_pop() == std::nullopt); // it was discarded
    auto claimed = queue.claim(1s);
    *claimed = {2, 0.5};
    quoit::claimed<item> moved = std::move(claimed);
    CHECK(!claimed && claimed.try_commit() == status::invalid);
    moved.commit();
    CHECK(!moved && moved.try_commit() == status::invalid);
    moved = queue.claim();
    moved = queue.claim(); // replaces the first
    *moved = {3, 0.5};
    CHECK_EQ(moved.try_commit(), status::ok);
    CHECK_EQ(queue.size(), 2);
    CHECK(queue.try_claim().code() == status::full && !queue.try_claim_for(1ms));
    CHECK_THROWS(queue.claim(1ms), status::full);

    {
        auto peeked = queue.peek();
        CHECK(peeked->number == 2 && (*peeked).number == 2);
        peeked = queue.peek(); // the same item again
        CHECK(peeked && peeked.get()->number == 2);
        peeked.keep();
        CHECK(!peeked);
    }
    try {
        auto peeked = queue.peek(1s);
        throw 1;
    } catch (int) {
    }
    CHECK_EQ(queue.front().number, 2); // kept, also after an exception
    {
        quoit::peeked<item> peeked = queue.try_peek();
        CHECK_EQ(peeked.code(), status::ok);
    }
    CHECK_EQ(queue.front().number, 3); // and 2 was released
    auto peeked = queue.try_peek_for(1s);
    peeked.release();
    CHECK_THROWS(peeked.release(), status::invalid);
    CHECK(!queue.try_peek() && queue.try_peek_for(1ms).code() == status::empty);
    CHECK_THROWS(queue.peek(1ms), status::empty);

    {
        auto room = queue.claim_many(2); // one of an MPMC queue and one of a broadcast
        CHECK(room.size() >= 1 && room.items().size() == room.size());
        for (item &i : room)
            i = {4, 0};
    }
    CHECK_EQ(queue.try_peek_many().code(), status::empty);
    auto room = queue.claim_many(1, 1s);
    room[0] = {4, 0};
    room.commit();
    queue.push({5, 0});
    CHECK(!queue.try_claim_many_for(1, 1ms));
    {
        auto items = queue.peek_many();
        CHECK(items.size() >= 1 && items[0].number == 4 && items.items()[0].number == 4);
        items.release(1);
        CHECK(!items);
    }
    CHECK_EQ(queue.front().number, 5);
    {
        auto items = queue.peek_many(1s);
        CHECK(items.size() == 1 && items.begin()->number == 5);
    }
    CHECK(queue.empty() && !queue.try_peek_many_for(1ms));

    // A push drops the claim.
    auto late = queue.claim();
    *late = {6, 0};
    queue.push({7, 0});
    CHECK_EQ(late.try_commit(), status::invalid);
    CHECK(queue.pop().number == 7 && queue.empty());
    queue.unlink();
}

static void consuming(quoit::options options)
{
    auto queue = quoit::queue<item>::create("local:cpp", options, both);
    std::uint64_t sum = 0;
    const auto add = [&sum](const item &i) { sum += i.number; };
    CHECK_EQ(queue.consume_all(add), 0);
    queue.push({1, 0});
    queue.push({2, 0});
    CHECK(queue.consume_all(add) == 2 && sum == 3 && queue.empty());
    queue.push({3, 0});
    queue.push({4, 0});
    const auto refuse_four = [](const item &i) {
        if (i.number == 4)
            throw i.number;
    };
    try {
        queue.consume_all(refuse_four);
        CHECK(false);
    } catch (std::uint64_t number) {
        CHECK_EQ(number, 4);
    }
    queue.finish();
    CHECK(queue.consume_all(add) == 1 && sum == 7);
    CHECK_EQ(queue.consume_all(add), 0); // finished
    queue.unlink();
}

static void messages(quoit::kind kind)
{
    quoit::options options = {8, kind};
    options.message_bytes = 100;
    auto queue = quoit::message_queue::create("local:cpp", options, both);
    CHECK(!queue.try_pop() && !queue.pop_for(1ms));
    CHECK_THROWS(queue.pop(5ms), status::empty);
    queue.push("hello");
    CHECK_EQ(queue.try_push(std::string(101, 'x')), status::too_big);
    CHECK_EQ(queue.try_push(std::string_view("", 0)), status::ok);
    std::vector<std::string> seen;
    for (const std::string &message : queue.browse())
        seen.push_back(message);
    CHECK(seen == (std::vector<std::string>{"hello", ""}));
    char buffer[10];
    std::size_t bytes = 0;
    CHECK(queue.try_pop(buffer, 2, bytes) == status::too_big && bytes == 5);
    CHECK_EQ(queue.front(), "hello");
    queue.release();
    CHECK(queue.pop().empty());
    {
        quoit::claimed_message room = queue.try_claim(50);
        CHECK(room && room.size() == 50 && room.room().size() == 50);
    }
    CHECK(!queue.try_peek() && queue.try_claim(101).code() == status::too_big);
    quoit::claimed_message room = queue.claim(50, 1s);
    room[0] = std::byte{'a'};
    room.data()[1] = std::byte{'b'};
    room.commit(1);
    CHECK(queue.try_pop_for(buffer, sizeof buffer, bytes, 1s) == status::ok && bytes == 1);
    auto refused = queue.claim(5);
    CHECK(refused.try_commit(6) == status::invalid && !refused && !queue.try_peek());

    queue.emplace(3u, 'x');
    {
        auto message = queue.peek();
        CHECK(*message == "xxx" && message->size() == 3 && message.bytes()[2] == std::byte{'x'});
        message.keep();
    }
    {
        auto message = queue.try_peek_for(1s);
        CHECK(message && *message == "xxx");
    }
    CHECK_EQ(queue.try_peek().code(), status::empty);
    queue.push("one");
    queue.push("two");
    std::string all;
    CHECK_EQ(queue.consume_all([&all](std::string_view message) { all += message; }), 2);
    CHECK(all == "onetwo" && queue.empty());
    queue.finish();
    CHECK(!queue.next() && !queue.pop_for(1s));
    queue.unlink();
}

int main()
{
    for (quoit::kind kind : {quoit::kind::spsc, quoit::kind::mpmc, quoit::kind::broadcast}) {
        in_place({2, kind});
        consuming({2, kind});
        messages(kind);
    }
    return 0;
}
