/* SPDX-License-Identifier: MIT */
/* Transports of the kernel and of message libraries between two processes, each of which blocks as
   it was designed to. One direction each. */
#ifndef QUOIT_BENCH_PEERS_TRANSPORTS_HPP
#define QUOIT_BENCH_PEERS_TRANSPORTS_HPP

#include "rings.hpp"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <mqueue.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <qb/qbrb.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <zmq.h>

namespace bench
{

/* A whole item into a stream, or out of one. */
inline bool write_all(int fd, const void *from, std::size_t bytes)
{
    auto *at = static_cast<const char *>(from);
    while (bytes > 0) {
        ssize_t count = write(fd, at, bytes);
        if (count <= 0)
            die("write");
        at += count;
        bytes -= static_cast<std::size_t>(count);
    }
    return true;
}

inline bool read_all(int fd, void *to, std::size_t bytes)
{
    auto *at = static_cast<char *>(to);
    while (bytes > 0) {
        ssize_t count = read(fd, at, bytes);
        if (count <= 0)
            die("read");
        at += count;
        bytes -= static_cast<std::size_t>(count);
    }
    return true;
}

template <class Item> struct pipe_peer : ring {
    static constexpr const char *title = "pipe";
    int ends[2];
    explicit pipe_peer(std::size_t)
    {
        if (pipe(ends) != 0)
            die("pipe");
    }
    ~pipe_peer()
    {
        close(ends[0]);
        close(ends[1]);
    }
    bool push(const Item &value)
    {
        return write_all(ends[1], &value, sizeof value);
    }
    bool pop(Item &value)
    {
        return read_all(ends[0], &value, sizeof value);
    }
};

template <class Item> struct unix_peer : ring {
    static constexpr const char *title = "Unix socket (stream)";
    int ends[2];
    explicit unix_peer(std::size_t)
    {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
            die("socketpair");
    }
    ~unix_peer()
    {
        close(ends[0]);
        close(ends[1]);
    }
    bool push(const Item &value)
    {
        return write_all(ends[1], &value, sizeof value);
    }
    bool pop(Item &value)
    {
        return read_all(ends[0], &value, sizeof value);
    }
};

template <class Item> struct posix_mq : ring {
    static constexpr const char *title = "POSIX mq";
    mqd_t queue;
    explicit posix_mq(std::size_t)
    {
        std::string name = "/" + unique_name("mq");
        mq_attr attributes = {};
        attributes.mq_maxmsg = 10; /* the system's own limit for ordinary users */
        attributes.mq_msgsize = sizeof(Item);
        queue = mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        if (queue < 0)
            die("mq_open");
        mq_unlink(name.c_str());
    }
    ~posix_mq()
    {
        mq_close(queue);
    }
    bool push(const Item &value)
    {
        return mq_send(queue, reinterpret_cast<const char *>(&value), sizeof value, 0) == 0;
    }
    bool pop(Item &value)
    {
        return mq_receive(queue, reinterpret_cast<char *>(&value), sizeof value, nullptr) > 0;
    }
};

template <class Item> struct sysv_mq : ring {
    static constexpr const char *title = "System V msg";
    struct message {
        long type;
        Item value;
    };
    int queue;
    explicit sysv_mq(std::size_t) : queue(msgget(IPC_PRIVATE, 0600))
    {
        if (queue < 0)
            die("msgget");
    }
    ~sysv_mq()
    {
        msgctl(queue, IPC_RMID, nullptr);
    }
    bool push(const Item &value)
    {
        message out = {1, value};
        return msgsnd(queue, &out, sizeof(Item), 0) == 0;
    }
    bool pop(Item &value)
    {
        message in;
        if (msgrcv(queue, &in, sizeof(Item), 0, 0) < 0)
            return false;
        value = in.value;
        return true;
    }
};

template <class Item> struct boost_mq : ring {
    static constexpr const char *title = "Boost.Interprocess message_queue";
    std::string name;
    boost::interprocess::message_queue queue;
    explicit boost_mq(std::size_t capacity)
        : name(unique_name("boost")),
          queue(boost::interprocess::create_only, name.c_str(), capacity, sizeof(Item))
    {
    }
    ~boost_mq()
    {
        boost::interprocess::message_queue::remove(name.c_str());
    }
    bool push(const Item &value)
    {
        queue.send(&value, sizeof value, 0);
        return true;
    }
    bool pop(Item &value)
    {
        boost::interprocess::message_queue::size_type bytes;
        unsigned priority;
        queue.receive(&value, sizeof value, bytes, priority);
        return true;
    }
};

/* libqb's ring, used as designed: chunks with a semaphore. */
template <class Item> struct qb : ring {
    static constexpr const char *title = "libqb ring";
    std::string name;
    qb_ringbuffer_t *mine, *other = nullptr;
    std::size_t bytes;
    explicit qb(std::size_t capacity)
        : name(unique_name("qb")), bytes(capacity * (sizeof(Item) + 16) + 8192)
    {
        mine = qb_rb_open(name.c_str(), bytes, QB_RB_FLAG_CREATE | QB_RB_FLAG_SHARED_PROCESS, 0);
        if (mine == nullptr)
            die("qb_rb_open");
    }
    ~qb()
    {
        qb_rb_close(mine);
    }
    void produce()
    {
        other = qb_rb_open(name.c_str(), bytes, QB_RB_FLAG_SHARED_PROCESS, 0);
        if (other == nullptr)
            die("qb_rb_open");
    }
    bool push(const Item &value)
    {
        return qb_rb_chunk_write(other, &value, sizeof value) > 0;
    }
    bool pop(Item &value)
    {
        return qb_rb_chunk_read(mine, &value, sizeof value, -1) > 0;
    }
};

template <class Item> struct zeromq : ring {
    static constexpr const char *title = "ZeroMQ (ipc)";
    std::string address = "ipc:///tmp/" + unique_name("zmq");
    void *context = nullptr, *socket = nullptr;
    explicit zeromq(std::size_t)
    {
    }
    void open(bool binds)
    {
        context = zmq_ctx_new();
        socket = zmq_socket(context, ZMQ_PAIR);
        if ((binds ? zmq_bind : zmq_connect)(socket, address.c_str()) != 0)
            die("zmq");
    }
    void produce()
    {
        open(false);
    }
    void consume()
    {
        open(true);
    }
    ~zeromq()
    {
        unlink(address.c_str() + 6);
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

template <class Item> struct nng_peer : ring {
    static constexpr const char *title = "nng (ipc)";
    std::string address = "ipc:///tmp/" + unique_name("nng");
    nng_socket socket = {};
    explicit nng_peer(std::size_t)
    {
    }
    void open(bool binds)
    {
        if (nng_pair0_open(&socket) != 0 ||
            (binds ? nng_listen(socket, address.c_str(), nullptr, 0)
                   : nng_dial(socket, address.c_str(), nullptr, NNG_FLAG_NONBLOCK)) != 0)
            die("nng");
    }
    void produce()
    {
        open(false);
    }
    void consume()
    {
        open(true);
    }
    ~nng_peer()
    {
        unlink(address.c_str() + 6);
    }
    bool push(const Item &value)
    {
        return nng_send(socket, const_cast<Item *>(&value), sizeof value, 0) == 0;
    }
    bool pop(Item &value)
    {
        std::size_t bytes = sizeof value;
        return nng_recv(socket, &value, &bytes, 0) == 0;
    }
};

} // namespace bench
#endif
