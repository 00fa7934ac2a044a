/* SPDX-License-Identifier: MIT */
/*
 * Messages of many sizes. Copied in and out, 64 bytes to 64 KiB: queues of messages compared with
 * ZeroMQ. Frames that are written and read in place, of which only a word at each end is used, 1
 * KiB to 16 MiB: queues of messages and pools compared with iceoryx, whose largest frame here has 4
 * MiB. Between processes.
 */
#include "iceoryx.hpp"

#include <quoit/typed.h>

#include <algorithm>
#include <vector>

using namespace bench;

static int round_number;
static const double run_ns = 20e6;
static const char *const queue_name = "posix:quoit-bench-messages";
static const char *const pool_name = "posix:quoit-bench-frames";

/* A MiB of messages, at most 1024, ZeroMQ's own number; of frames 8. */
static void make_queue(std::uint32_t kind, std::uint64_t bytes, bool messages)
{
    quoit_queue_options options{};
    options.kind = kind;
    options.item_bytes = bytes;
    options.capacity = std::clamp<std::uint64_t>((1u << 20) / bytes, 8, 1024);
    options.messages = messages ? 1 : 0;
    quoit_queue *queue;
    (void)quoit_unlink(queue_name, 0);
    must(quoit_queue_create(queue_name, &options, QUOIT_OBSERVER, &queue));
    quoit_queue_close(queue);
}

static quoit_queue *enter(std::uint32_t role)
{
    quoit_queue *queue;
    must(quoit_queue_open(queue_name, role, &queue));
    return queue;
}

/* The first and the last word identify the message. */
static void touch(void *frame, std::size_t bytes, std::uint64_t number)
{
    *static_cast<volatile std::uint64_t *>(frame) = number;
    static_cast<volatile char *>(frame)[bytes - 1] = static_cast<char>(number);
}

static void look(const void *frame, std::size_t bytes, std::uint64_t number)
{
    if (*static_cast<const volatile std::uint64_t *>(frame) != number ||
        static_cast<const volatile char *>(frame)[bytes - 1] != static_cast<char>(number))
        die("a frame is not what was sent");
}

/* ---- Peers: prepare and operations of each side ---------------------------------------------- */

/* A queue of messages that each side opens for itself. */
struct over_queue {
    std::size_t bytes;
    quoit_queue *queue = nullptr;
    over_queue(std::uint32_t kind, std::size_t size) : bytes(size)
    {
        make_queue(kind, size, true);
    }
    ~over_queue()
    {
        must(quoit_unlink(queue_name, 0));
    }
    void produce()
    {
        queue = enter(QUOIT_PRODUCER);
    }
    void consume()
    {
        queue = enter(QUOIT_CONSUMER);
    }
};

template <std::uint32_t Kind> struct copied : over_queue {
    static constexpr const char *title = Kind == QUOIT_SPSC ? "Quoit messages"
                                                            : "Quoit messages, MPMC";
    std::vector<char> buffer;
    explicit copied(std::size_t size) : over_queue(Kind, size), buffer(size)
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
        look(buffer.data(), count, number);
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
        look(buffer.data(), bytes, number);
        return true;
    }
};

struct in_place : over_queue {
    static constexpr const char *title = "Quoit messages, in place";
    explicit in_place(std::size_t size) : over_queue(QUOIT_SPSC, size)
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
        look(frame, count, number);
        must(quoit_queue_release(queue));
        return true;
    }
};

struct in_pool {
    static constexpr const char *title = "Quoit pool";
    std::size_t bytes;
    quoit_queue *queue = nullptr;
    quoit_pool *pool = nullptr;
    explicit in_pool(std::size_t size) : bytes(size)
    {
        quoit_pool_options options{};
        options.block_bytes = size;
        options.blocks = 8;
        (void)quoit_unlink(pool_name, 0);
        make_queue(QUOIT_SPSC, sizeof(quoit_block), false);
        must(quoit_pool_create(pool_name, &options, 0, &pool));
        quoit_pool_close(pool);
    }
    ~in_pool()
    {
        must(quoit_unlink(queue_name, 0));
        must(quoit_unlink(pool_name, 0));
    }
    void open(std::uint32_t role)
    {
        queue = enter(role);
        must(quoit_pool_open(pool_name, 0, &pool));
    }
    void produce()
    {
        open(QUOIT_PRODUCER);
    }
    void consume()
    {
        open(QUOIT_CONSUMER);
    }
    bool send(std::uint64_t number)
    {
        quoit_block block;
        if (quoit_pool_alloc(pool, &block) != QUOIT_OK)
            return false;
        touch(quoit_pool_at(pool, block), bytes, number);
        while (quoit_pool_push(pool, queue, block, QUOIT_NOW) != QUOIT_OK)
            relax();
        return true;
    }
    bool receive(std::uint64_t number)
    {
        quoit_block block;
        if (quoit_pool_pop(pool, queue, &block, QUOIT_NOW) != QUOIT_OK)
            return false;
        look(quoit_pool_at(pool, block), bytes, number);
        must(quoit_pool_free(pool, block));
        return true;
    }
};

/* Not zeroed when it is loaned. */
template <std::size_t Bytes> struct frame {
    std::uint64_t words[Bytes / 8];
    frame()
    {
    }
};

/* Its daemon has no more than ten frames of the largest size. */
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
            look(sample.get(), Bytes, number);
            received = true;
        });
        return received;
    }
};

/* ---- Runs ------------------------------------------------------------------------------------ */

template <class Peer> static double run(std::size_t bytes, std::uint64_t count)
{
    Peer peer(bytes);
    return run_both([&] { peer.produce(); },
                    [&] {
                        for (std::uint64_t i = 0; i < count; i++)
                            insist([&] { return peer.send(i); });
                    },
                    [&] { peer.consume(); },
                    [&](std::uint64_t &start) {
                        insist([&] { return peer.receive(0); });
                        start = now_ns(); /* connected by now */
                        for (std::uint64_t i = 1; i < count; i++)
                            insist([&] { return peer.receive(i); });
                    });
}

template <class Peer> static void measure(const char *question, std::size_t bytes)
{
    std::uint64_t count = 64;
    bounce_ns();
    double took = run<Peer>(bytes, count);
    while (took < run_ns / 2 && count < (1u << 22)) {
        count *= took < run_ns / 16 ? 8 : 2;
        took = run<Peer>(bytes, count);
    }
    result(question, Peer::title, bytes, 1, round_number, took / static_cast<double>(count - 1),
           "ns");
}

template <std::size_t Bytes> static void frames()
{
    measure<in_place>("frames", Bytes);
    measure<in_pool>("frames", Bytes);
    if constexpr (Bytes <= 4u << 20)
        measure<loaned<Bytes - 64>>("frames", Bytes);
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    if (!settings.processes)
        return 0;
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        for (std::size_t bytes : {64, 256, 1024, 4096, 16384, 65536}) {
            measure<copied<QUOIT_SPSC>>("messages", bytes);
            measure<copied<QUOIT_MPMC>>("messages", bytes);
            measure<zmq_copied>("messages", bytes);
        }
        frames<1u << 10>();
        frames<1u << 14>();
        frames<1u << 18>();
        frames<1u << 20>();
        frames<4u << 20>();
        frames<16u << 20>();
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
