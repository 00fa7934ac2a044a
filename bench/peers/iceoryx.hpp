/* SPDX-License-Identifier: MIT */
/* iceoryx, through its daemon (iox-roudi must run): loaned and published, lossless, with the
   largest queue that it allows. Between processes. */
#ifndef QUOIT_BENCH_PEERS_ICEORYX_HPP
#define QUOIT_BENCH_PEERS_ICEORYX_HPP

#include "transports.hpp"

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/publisher.hpp>
#include <iceoryx_posh/popo/subscriber.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include <memory>

namespace bench
{

template <class Item> struct iceoryx : ring {
    static constexpr const char *title = "iceoryx (loan, publish)";
    std::string topic = unique_name("iox");
    std::uint64_t capacity = 256;
    inline static std::unique_ptr<iox::popo::Publisher<Item>> publisher;
    inline static std::unique_ptr<iox::popo::Subscriber<Item>> subscriber;
    explicit iceoryx(std::size_t)
    {
    }
    iox::capro::ServiceDescription service() const
    {
        return {"bench", "ring", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, topic)};
    }
    static void begin()
    {
        iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
            iox::log::LogLevel::kWarn, iox::log::LogLevelOutput::kHideLogLevel);
        std::string name = unique_name("app") + "-" + std::to_string(getpid());
        iox::runtime::PoshRuntime::initRuntime(
            iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
        std::atexit(end); /* before the runtime ends: otherwise the daemon keeps their memory */
    }
    static void end()
    {
        publisher.reset();
        subscriber.reset();
    }
    void produce()
    {
        begin();
        iox::popo::PublisherOptions options;
        options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
        publisher.reset(new iox::popo::Publisher<Item>(service(), options));
        while (!publisher->hasSubscribers())
            usleep(1000);
    }
    void consume()
    {
        begin();
        iox::popo::SubscriberOptions options;
        options.queueCapacity = capacity;
        options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
        subscriber.reset(new iox::popo::Subscriber<Item>(service(), options));
    }
    bool push(const Item &value)
    {
        bool pushed = false;
        publisher->loan().and_then([&](auto &sample) {
            *sample = value;
            sample.publish();
            pushed = true;
        });
        return pushed;
    }
    bool pop(Item &value)
    {
        bool popped = false;
        subscriber->take().and_then([&](const auto &sample) {
            value = *sample;
            popped = true;
        });
        return popped;
    }
};

} // namespace bench
#endif
