/* SPDX-License-Identifier: MIT */
/*
 * Messages that are copied in and out, 64 bytes to 64 KiB: queues of messages compared with queues
 * of items of that size, and with ZeroMQ. Frames that are written and read in place, 1 KiB to 16
 * MiB: queues of messages and pools compared with iceoryx, whose largest frame here has 4 MiB. Only
 * the first word and the last byte are written and read.
 */
#include "iceoryx.hpp"

#include <algorithm>
#include <vector>

namespace bench
{

/* As many messages as fit into 1 MiB, but at least 8, and at most 1024. */
static std::uint64_t capacity_for(std::size_t bytes)
{
    return std::clamp<std::uint64_t>((1u << 20) / bytes, 8, 1024);
}

static void make_queue(const std::string &name, std::uint32_t kind, std::size_t bytes,
                       bool messages)
{
    quoit_queue_options options{};
    options.kind = kind;
    options.item_bytes = bytes;
    options.capacity = capacity_for(bytes);
    options.messages = messages ? 1 : 0;
    make_quoit(name, options);
}

static void touch(void *frame, std::size_t bytes, std::uint64_t number)
{
    *static_cast<volatile std::uint64_t *>(frame) = number;
    static_cast<volatile char *>(frame)[bytes - 1] = static_cast<char>(number);
}

static void check(const void *frame, std::size_t bytes, std::uint64_t number)
{
    if (*static_cast<const volatile std::uint64_t *>(frame) != number ||
        static_cast<const volatile char *>(frame)[bytes - 1] != static_cast<char>(number))
        die("a frame has other bytes than were sent");
}

/* ---- Peers: prepare and operations of each side ---------------------------------------------- */

/* A queue that each side opens for itself. */
struct over_queue {
    std::size_t bytes;
    std::string name = unique_name("messages");
    quoit_queue *queue = nullptr;
    over_queue(std::uint32_t kind, std::size_t size, bool messages) : bytes(size)
    {
        make_queue(name, kind, size, messages);
    }
    ~over_queue()
    {
        must(quoit_unlink(name.c_str(), 0));
    }
    void produce()
    {
        must(quoit_queue_open(name.c_str(), QUOIT_PRODUCER, &queue));
    }
    void consume()
    {
        must(quoit_queue_open(name.c_str(), QUOIT_CONSUMER, &queue));
    }
};

template <std::uint32_t Kind, bool Messages> struct copied : over_queue {
    static constexpr const char *title = !Messages            ? "Quoit items"
                                         : Kind == QUOIT_SPSC ? "Quoit messages"
                                                              : "Quoit messages, MPMC";
    std::vector<char> buffer;
    explicit copied(std::size_t size) : over_queue(Kind, size, Messages), buffer(size)
    {
    }
    bool send(std::uint64_t number)
    {
        touch(buffer.data(), bytes, number);
        return quoit_queue_push(queue, buffer.data(), bytes, QUOIT_NOW) == QUOIT_OK;
    }
    bool receive(std::uint64_t number)
    {
        std::size_t count;
        if (quoit_queue_pop(queue, buffer.data(), bytes, &count, QUOIT_NOW) != QUOIT_OK)
            return false;
        check(buffer.data(), count, number);
        return true;
    }
};

struct zmq_copied {
    static constexpr const char *title = "ZeroMQ ipc";
    std::size_t bytes;
    std::vector<char> buffer;
    std::string address = "ipc:///tmp/" + unique_name("zmq");
    void *socket = nullptr;
    explicit zmq_copied(std::size_t size) : bytes(size), buffer(size)
    {
    }
    ~zmq_copied()
    {
        unlink(address.c_str() + 6);
    }
    void open(bool binds)
    {
        socket = zmq_socket(zmq_ctx_new(), ZMQ_PAIR);
        if ((binds ? zmq_bind : zmq_connect)(socket, address.c_str()) != 0)
            die("zmq");
    }
    void produce()
    {
        open(true);
    }
    void consume()
    {
        open(false);
    }
    bool send(std::uint64_t number)
    {
        touch(buffer.data(), bytes, number);
        return zmq_send(socket, buffer.data(), bytes, 0) >= 0;
    }
    bool receive(std::uint64_t number)
    {
        if (zmq_recv(socket, buffer.data(), bytes, 0) < 0)
            return false;
        check(buffer.data(), bytes, number);
        return true;
    }
};

struct in_place : over_queue {
    static constexpr const char *title = "Quoit messages, in place";
    explicit in_place(std::size_t size) : over_queue(QUOIT_SPSC, size, true)
    {
    }
    bool send(std::uint64_t number)
    {
        void *frame;
        if (quoit_queue_claim(queue, bytes, &frame, QUOIT_NOW) != QUOIT_OK)
            return false;
        touch(frame, bytes, number);
        must(quoit_queue_commit(queue, bytes));
        return true;
    }
    bool receive(std::uint64_t number)
    {
        const void *frame;
        std::size_t count;
        if (quoit_queue_peek(queue, &frame, &count, QUOIT_NOW) != QUOIT_OK)
            return false;
        check(frame, count, number);
        must(quoit_queue_release(queue));
        return true;
    }
};

struct in_pool : over_queue {
    static constexpr const char *title = "Quoit pool";
    std::size_t block_bytes;
    std::string pool_name = unique_name("frames");
    quoit_pool *pool = nullptr;
    explicit in_pool(std::size_t size)
        : over_queue(QUOIT_SPSC, sizeof(quoit_block), false), block_bytes(size)
    {
        quoit_pool_options options{};
        options.block_bytes = size;
        options.blocks = 8;
        must(quoit_pool_create(pool_name.c_str(), &options, 0, &pool));
        quoit_pool_close(pool);
    }
    ~in_pool()
    {
        must(quoit_unlink(pool_name.c_str(), 0));
    }
    void produce()
    {
        over_queue::produce();
        must(quoit_pool_open(pool_name.c_str(), 0, &pool));
    }
    void consume()
    {
        over_queue::consume();
        must(quoit_pool_open(pool_name.c_str(), 0, &pool));
    }
    bool send(std::uint64_t number)
    {
        quoit_block block;
        if (quoit_pool_alloc(pool, &block) != QUOIT_OK)
            return false;
        touch(quoit_pool_at(pool, block), block_bytes, number);
        while (quoit_pool_push(pool, queue, block, QUOIT_NOW) != QUOIT_OK)
            relax();
        return true;
    }
    bool receive(std::uint64_t number)
    {
        quoit_block block;
        if (quoit_pool_pop(pool, queue, &block, QUOIT_NOW) != QUOIT_OK)
            return false;
        check(quoit_pool_at(pool, block), block_bytes, number);
        must(quoit_pool_free(pool, block));
        return true;
    }
};

/* Its constructor does not clear it, so that a loan costs no time for that. */
template <std::size_t Bytes> struct frame {
    std::uint64_t words[Bytes / 8];
    frame()
    {
    }
};

/* The daemon has at most ten frames of the largest size. */
template <std::size_t Bytes> struct loaned : iceoryx<frame<Bytes>> {
    explicit loaned(std::size_t) : iceoryx<frame<Bytes>>(0)
    {
        if (Bytes > 1u << 17)
            this->capacity = 6;
    }
    bool send(std::uint64_t number)
    {
        bool sent = false;
        this->publisher->loan().and_then([&](auto &sample) {
            touch(sample.get(), Bytes, number);
            sample.publish();
            sent = true;
        });
        return sent;
    }
    bool receive(std::uint64_t number)
    {
        bool received = false;
        this->subscriber->take().and_then([&](const auto &sample) {
            check(sample.get(), Bytes, number);
            received = true;
        });
        return received;
    }
};

/* ---- Cases ----------------------------------------------------------------------------------- */

/* Returns ns per message. The first messages are not timed, since libraries connect meanwhile. */
template <class Peer> static double pass(std::size_t bytes, std::uint64_t count)
{
    const std::uint64_t skipped = capacity_for(bytes);
    Peer peer(bytes);
    auto receive = [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to; i++)
            insist<loop::pause>([&] { return peer.receive(i); });
    };
    double took = run_sides(
        {1, 1, true, false},
        [&](int side) {
            if (side == CONSUMER)
                peer.consume();
            else
                peer.produce();
        },
        [&](int side, stopwatch &watch) {
            if (side == PRODUCER) {
                for (std::uint64_t i = 0; i < skipped + count; i++)
                    insist<loop::pause>([&] { return peer.send(i); });
                return;
            }
            receive(0, skipped);
            watch.start();
            receive(skipped, skipped + count);
        });
    return took / static_cast<double>(count);
}

template <class Peer> static void passing(const char *question, std::size_t bytes)
{
    add({question, Peer::title, bytes, 1, true}, "ns",
        [=](std::uint64_t count) { return pass<Peer>(bytes, count); });
}

template <std::size_t Bytes> static void frames()
{
    passing<in_place>("frames", Bytes);
    passing<in_pool>("frames", Bytes);
    if constexpr (Bytes <= 4u << 20)
        add({"frames", loaned<Bytes>::title, Bytes, 1, true}, "ns",
            [](std::uint64_t count) { return pass<loaned<Bytes - 64>>(Bytes, count); });
}

void messages()
{
    for (std::size_t bytes : {64, 256, 1024, 4096, 16384, 65536}) {
        passing<copied<QUOIT_SPSC, true>>("messages", bytes);
        passing<copied<QUOIT_SPSC, false>>("messages", bytes);
        passing<copied<QUOIT_MPMC, true>>("messages", bytes);
        passing<zmq_copied>("messages", bytes);
    }
    frames<1u << 10>();
    frames<1u << 14>();
    frames<1u << 18>();
    frames<1u << 20>();
    frames<4u << 20>();
    frames<16u << 20>();
}

} // namespace bench
