/* SPDX-License-Identifier: MIT */
/* Transports from one to many, none of which drops anything here. Each side is another process.
   produce returns when all subscribers have joined, subscribe when the producer knows it. */
#ifndef QUOIT_BENCH_PEERS_FAN_OUT_HPP
#define QUOIT_BENCH_PEERS_FAN_OUT_HPP

#include "iceoryx.hpp"

namespace bench
{

template <class Item, bool Waits> struct quoit_fan_out {
    static constexpr const char *title = Waits ? "Quoit, waiting" : "Quoit";
    static constexpr std::int64_t timeout_ns = Waits ? QUOIT_FOREVER : QUOIT_NOW;
    typedef quoit_typed<Item> typed;
    std::string name = unique_name("broadcast");
    typename typed::queue queue = {nullptr};
    quoit_fan_out()
    {
        make_typed<Item>(name, QUOIT_BROADCAST, 1024);
    }
    ~quoit_fan_out()
    {
        (void)quoit_unlink(name.c_str(), 0);
    }
    void produce(int)
    {
        must(typed::open(name.c_str(), QUOIT_PRODUCER, &queue));
    }
    void subscribe()
    {
        must(typed::open(name.c_str(), QUOIT_CONSUMER, &queue));
    }
    bool push(const Item &value)
    {
        return typed::push(queue, &value, timeout_ns) == QUOIT_OK;
    }
    bool pop(Item &value)
    {
        return typed::pop(queue, &value, timeout_ns) == QUOIT_OK;
    }
};

/* XPUB, which knows its subscribers, and does not drop an item if one of them is slow. */
template <class Item> struct zeromq_fan_out {
    static constexpr const char *title = "ZeroMQ XPUB/SUB (ipc)";
    std::string address = "ipc:///tmp/" + unique_name("zmq");
    void *context = nullptr, *socket = nullptr;
    ~zeromq_fan_out()
    {
        unlink(address.c_str() + 6);
    }
    void produce(int subscribers)
    {
        int yes = 1;
        context = zmq_ctx_new();
        socket = zmq_socket(context, ZMQ_XPUB);
        if (zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &yes, sizeof yes) != 0 ||
            zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &yes, sizeof yes) != 0 ||
            zmq_bind(socket, address.c_str()) != 0)
            die("zmq");
        for (int i = 0; i < subscribers; i++) {
            char subscription;
            if (zmq_recv(socket, &subscription, 1, 0) < 0)
                die("zmq_recv");
        }
    }
    void subscribe()
    {
        context = zmq_ctx_new();
        socket = zmq_socket(context, ZMQ_SUB);
        if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) != 0 ||
            zmq_connect(socket, address.c_str()) != 0)
            die("zmq");
    }
    bool push(const Item &value)
    {
        return zmq_send(socket, &value, sizeof value, 0) >= 0;
    }
    bool pop(Item &value)
    {
        return zmq_recv(socket, &value, sizeof value, 0) >= 0;
    }
};

template <class Item> struct iceoryx_fan_out : iceoryx<Item> {
    iceoryx_fan_out() : iceoryx<Item>(0)
    {
    }
    /* Each subscriber waits until the producer knows it. */
    void produce(int)
    {
        iceoryx<Item>::produce();
    }
    void subscribe()
    {
        iceoryx<Item>::consume();
        while (this->subscriber->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED)
            usleep(1000);
    }
};

} // namespace bench
#endif
