/* SPDX-License-Identifier: MIT */
/* QUOIT_ABANDONED in every order of joining, working, ending and calling, by waits and by calls
   that do not wait, for both sides and all layouts. The peers are real processes, killed or not. */
#include "test.h"

#include "os.h"
#include "queue_shm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4, WORK = 3, LIMIT_MS = 2000, QUIET_MS = 150, BOTH = 3 };
static const int64_t ms = 1000000;

struct layout {
    const char *name;
    struct quoit_queue_options options;
    bool produces; /* its producer may get ABANDONED too */
};

static const struct layout layouts[] = {
    {"slots", {.item_bytes = 8, .capacity = CAPACITY}, true},
    {"spans", {.item_bytes = 8, .capacity = CAPACITY}, true},
    {"bytes", {.item_bytes = 8, .capacity = CAPACITY, .messages = 1}, true},
    {"mpmc", {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_MPMC}, true},
    {"lossless", {.item_bytes = 8, .capacity = CAPACITY, .kind = QUOIT_BROADCAST}, false},
    {"lossy",
     {.item_bytes = 8,
      .capacity = CAPACITY,
      .kind = QUOIT_BROADCAST,
      .when_full = QUOIT_DROP_OLDEST},
     false}};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

/* One side of a queue, with any layout. */
struct side {
    quoit_queue *queue;
    unsigned role;
};

static quoit_status step(const struct side *side, int64_t timeout_ns)
{
    uint64_t item = 7;
    if (side->role == QUOIT_PRODUCER)
        return quoit_queue_push(side->queue, &item, sizeof item, timeout_ns);
    return quoit_queue_pop(side->queue, &item, sizeof item, NULL, timeout_ns);
}

static struct side open_side(const char *name, unsigned role, unsigned flags)
{
    struct side side = {.role = role};
    CHECK_STATUS(quoit_queue_open(name, role | flags, &side.queue), QUOIT_OK);
    return side;
}

/* ---- The peer -------------------------------------------------------------------------------- */

struct stage {
    _Atomic uint32_t reached, allowed;
};
enum { JOINED = 1, WORKED = 2, ENDED = 3 };

static void reach(struct stage *stage, uint32_t reached)
{
    atomic_store(&stage->reached, reached);
    while (atomic_load(&stage->allowed) <= reached)
        test_sleep_ms(1);
}

/* arguments: the queue, the stage's memory, "push", "pop" or another way to join, how many, the
   end */
static void act_as_peer(char **arguments)
{
    quoit_region *region;
    struct stage *stage = test_shared(arguments[1], sizeof *stage, &region);
    unsigned role = strcmp(arguments[2], "push") == 0 ? QUOIT_PRODUCER : QUOIT_CONSUMER;
    struct side side = open_side(arguments[0], role, 0);
    reach(stage, JOINED);
    for (uint64_t left = strtoull(arguments[3], NULL, 10); left > 0; left--)
        CHECK_STATUS(step(&side, 0), QUOIT_OK);
    reach(stage, WORKED);
    if (strcmp(arguments[4], "kill") == 0)
        test_sleep_ms(60000);
    if (strcmp(arguments[4], "finish") == 0)
        CHECK_STATUS(quoit_queue_finish(side.queue), QUOIT_OK);
    quoit_queue_close(side.queue);
    quoit_region_close(region);
}

struct peer {
    test_process process;
    const char *end;
    const char *stage_name;
    struct stage *stage;
    quoit_region *region;
};

static void go_on(const struct peer *peer, uint32_t reached)
{
    atomic_store(&peer->stage->allowed, reached);
    for (int i = 0; reached < ENDED && atomic_load(&peer->stage->reached) < reached; i++) {
        CHECK_LT(i, 20000);
        test_sleep_ms(1);
    }
}

static struct peer start_peer(const char *queue, unsigned own_role, unsigned work, const char *end)
{
    struct peer peer = {.end = end, .stage_name = test_name("file")};
    char count[16];
    (void)snprintf(count, sizeof count, "%u", work);
    const char *const arguments[] = {
        queue, peer.stage_name, own_role == QUOIT_CONSUMER ? "push" : "pop", count, end, NULL};
    peer.stage = test_share(peer.stage_name, sizeof *peer.stage, &peer.region);
    peer.process = test_spawn("act_as_peer", arguments);
    go_on(&peer, JOINED);
    return peer;
}

static void end_peer(const struct peer *peer)
{
    bool killed = strcmp(peer->end, "kill") == 0;
    go_on(peer, ENDED);
    if (killed)
        test_kill(peer->process);
    CHECK_EQUAL(test_wait(peer->process), killed ? TEST_KILLED : 0);
    quoit_region_close(peer->region);
    CHECK_STATUS(quoit_unlink(peer->stage_name, 0), test_after_close(peer->stage_name));
}

/* ---- Statuses that this side's calls return -------------------------------------------------- */

static uint64_t now_ms(void)
{
    return quoit_os_monotonic_ns() / 1000000;
}

static bool is_nothing(quoit_status status)
{
    return status == QUOIT_EMPTY || status == QUOIT_FULL;
}

/* The first `items` calls succeed; then the status is returned soon. EMPTY stands for every status
   that means "nothing now": no other status may be returned for a while. */
static void expect(const struct side *side, bool waits, uint64_t items, quoit_status expected)
{
    uint64_t begin = now_ms(), steps = 0;
    bool quiet = expected == QUOIT_EMPTY;
    quoit_status status;
    do {
        status = step(side, !waits ? 0 : quiet ? QUIET_MS * ms : QUOIT_FOREVER);
        if (status == QUOIT_OK)
            steps++;
        else if (!waits && is_nothing(status))
            test_sleep_ms(2);
    } while (status == QUOIT_OK ||
             (!waits && is_nothing(status) && now_ms() - begin < (quiet ? QUIET_MS : LIMIT_MS)));
    CHECK_EQUAL(steps, items);
    CHECK_STATUS(quiet && is_nothing(status) ? expected : status, expected);
    CHECK_LT(now_ms() - begin, LIMIT_MS);
    if (status == QUOIT_ABANDONED) { /* the sentence names the queue and the side that has left */
        const char *left = side->role == QUOIT_CONSUMER ? "its last producer" : "its last consumer";
        CHECK(strstr(quoit_describe(status), ":"));
        CHECK(strstr(quoit_describe(status), left));
    }
}

struct world {
    const char *name;
    unsigned role; /* of this side */
    bool waits;
    const char *end;
    quoit_queue *observer;
};

static struct side join_this(const struct world *world)
{
    struct side side = open_side(world->name, world->role, 0);
    while (world->role == QUOIT_PRODUCER && step(&side, 0) == QUOIT_OK)
        ; /* until it is full */
    return side;
}

static quoit_status end_of(const struct world *world)
{
    return strcmp(world->end, "finish") == 0 ? QUOIT_FINISHED : QUOIT_ABANDONED;
}

static void reported_once(const struct world *world, const struct side *side, uint64_t items)
{
    quoit_status end = end_of(world);
    expect(side, world->waits, items, end);
    expect(side, world->waits, 0, end == QUOIT_ABANDONED ? QUOIT_EMPTY : end);
}

/* ---- The orders ------------------------------------------------------------------------------ */

static void came_and_went(const struct world *world)
{
    struct side side = join_this(world);
    struct peer peer = start_peer(world->name, world->role, WORK, world->end);
    go_on(&peer, WORKED);
    end_peer(&peer);
    reported_once(world, &side, WORK);
    quoit_queue_close(side.queue);
}

/* It did nothing at all. */
static void came_and_went_idle(const struct world *world)
{
    struct side side = join_this(world);
    struct peer peer = start_peer(world->name, world->role, 0, world->end);
    end_peer(&peer);
    expect(&side, world->waits, 0, end_of(world));
    quoit_queue_close(side.queue);
}

static void was_there_first(const struct world *world)
{
    struct peer peer = start_peer(world->name, world->role, WORK, world->end);
    struct side side = join_this(world);
    go_on(&peer, WORKED);
    expect(&side, world->waits, WORK, QUOIT_EMPTY); /* it is alive */
    end_peer(&peer);
    expect(&side, world->waits, 0, end_of(world));
    quoit_queue_close(side.queue);
}

/* Peers that left before this side joined do not count. */
static void left_before(const struct world *world)
{
    bool finished = end_of(world) == QUOIT_FINISHED;
    struct peer peer = start_peer(world->name, world->role, 0, world->end);
    end_peer(&peer);
    struct side side = join_this(world);
    expect(&side, world->waits, 0, finished ? QUOIT_FINISHED : QUOIT_EMPTY);
    quoit_queue_close(side.queue);
}

static void end_later(void *argument)
{
    test_sleep_ms(30);
    end_peer(argument);
}

static void went_meanwhile(const struct world *world)
{
    struct side side = join_this(world);
    struct peer peer = start_peer(world->name, world->role, WORK, world->end);
    go_on(&peer, WORKED);
    test_thread *thread = test_thread_start(end_later, &peer);
    expect(&side, world->waits, WORK, end_of(world));
    test_thread_join(thread);
    quoit_queue_close(side.queue);
}

/* The end of the last peer is reported each time. The end of a peer is not reported while another
   peer is a member. */
static void successors(const struct world *world)
{
    struct side side = join_this(world);
    struct peer first = start_peer(world->name, world->role, 0, world->end);
    end_peer(&first);
    struct peer second = start_peer(world->name, world->role, WORK, world->end);
    expect(&side, world->waits, 0, QUOIT_EMPTY);
    go_on(&second, WORKED);
    end_peer(&second);
    reported_once(world, &side, WORK);
    struct peer third = start_peer(world->name, world->role, 0, world->end);
    end_peer(&third);
    expect(&side, world->waits, 0, QUOIT_ABANDONED);
    quoit_queue_close(side.queue);
}

static void no_peer_came(const struct world *world)
{
    struct side side = join_this(world);
    expect(&side, world->waits, 0, QUOIT_EMPTY);
    quoit_queue_close(side.queue);
}

static struct side open_repairer(const struct world *world)
{
    return open_side(world->name, BOTH - world->role, QUOIT_FOR_REPAIR);
}

/* A member that joined for repair is not a peer. Nor is a process that crashed while it joined. */
static void no_peers(const struct world *world)
{
    struct side side = join_this(world), other = open_repairer(world);
    quoit_queue_close(other.queue);
    const char *const arguments[] = {world->name, world->role == QUOIT_PRODUCER ? "pop" : "push",
                                     NULL};
    CHECK_EQUAL(test_wait(test_spawn("die_joining", arguments)), 7);
    expect(&side, world->waits, 0, QUOIT_EMPTY);
    quoit_queue_close(side.queue);
}

/* arguments: the queue, "push" or "pop". It holds its locks, and has not counted itself. */
static void die_joining(char **arguments)
{
    unsigned role = strcmp(arguments[1], "push") == 0 ? QUOIT_PRODUCER : QUOIT_CONSUMER;
    quoit_region *region;
    struct quoit_queue_view view;
    CHECK_STATUS(quoit_region_attach(arguments[0], 0, &region), QUOIT_OK);
    CHECK_STATUS(quoit_queue_find(region, &view), QUOIT_OK);
    CHECK_STATUS(quoit_members_join(&view.members, role, region), QUOIT_OK);
    _Exit(7);
}

/* The peer left before this side joined. A member that repairs in between is not a peer. */
static void repaired_before(const struct world *world)
{
    struct peer peer = start_peer(world->name, world->role, 0, world->end);
    end_peer(&peer);
    struct side repairer = open_repairer(world), side = join_this(world);
    quoit_queue_close(repairer.queue);
    expect(&side, world->waits, 0, QUOIT_EMPTY);
    quoit_queue_close(side.queue);
}

/* A member that repairs does not hide that the last peer has left. */
static void repaired_meanwhile(const struct world *world)
{
    struct side side = join_this(world);
    struct peer peer = start_peer(world->name, world->role, 0, world->end);
    end_peer(&peer);
    struct side repairer = open_repairer(world);
    expect(&side, world->waits, 0, QUOIT_ABANDONED);
    quoit_queue_close(repairer.queue);
    expect(&side, world->waits, 0, QUOIT_EMPTY);
    quoit_queue_close(side.queue);
}

static const struct order {
    const char *name;
    void (*run)(const struct world *world);
    bool waits_alone, has_no_end, not_finish;
} orders[] = {{"came and went", came_and_went, false, false, false},
              {"came and went, idle", came_and_went_idle, false, false, false},
              {"was there first", was_there_first, false, false, false},
              {"left before", left_before, false, false, false},
              {"went meanwhile", went_meanwhile, true, false, false},
              {"successors", successors, false, false, true},
              {"no peer came", no_peer_came, false, true, true},
              {"no peers", no_peers, false, true, true},
              {"repaired before", repaired_before, false, false, true},
              {"repaired meanwhile", repaired_meanwhile, false, false, true}};
enum { ORDERS = sizeof orders / sizeof orders[0] };

static void run_order(const struct layout *layout, const struct order *order, struct world *world)
{
    (void)snprintf(test_context, sizeof test_context, "%s, %s, %s, by %s, %s", layout->name,
                   world->role == QUOIT_PRODUCER ? "producer" : "consumer", order->name, world->end,
                   world->waits ? "waiting" : "calling");
    world->name = test_name("");
    test_keep_spans(strcmp(layout->name, "spans") == 0);
    CHECK_STATUS(
        quoit_queue_create(world->name, &layout->options, QUOIT_OBSERVER, &world->observer),
        QUOIT_OK);
    order->run(world);
    quoit_queue_close(world->observer);
    CHECK_STATUS(quoit_unlink(world->name, 0), test_after_close(world->name));
}

/* arguments: a layout's number, a role's number, the seed of its choices */
static void run_orders(char **arguments)
{
    static const char *const ends[] = {"kill", "close", "finish"};
    char *rest;
    const struct layout *layout = &layouts[strtoul(arguments[0], &rest, 10)];
    unsigned role = (unsigned)strtoul(rest, &rest, 10);
    test_seed = strtoull(rest, NULL, 10);
    for (int o = 0; o < ORDERS; o++)
        for (int e = 0; e < (orders[o].has_no_end ? 1 : 3); e++)
            for (int waits = orders[o].waits_alone; waits < 2; waits++) {
                bool finishes = strcmp(ends[e], "finish") == 0;
                struct world world = {.role = role, .waits = waits, .end = ends[e]};
                bool applies = !finishes || (role == QUOIT_CONSUMER && !orders[o].not_finish);
                if (applies && test_is_in_sample())
                    run_order(layout, &orders[o], &world);
            }
}

/* All layouts run at the same time, since they mostly wait. */
static void every_order(void)
{
    test_process processes[2 * LAYOUTS];
    int count = 0;
    for (int i = 0; i < LAYOUTS; i++)
        for (unsigned role = QUOIT_PRODUCER; role <= QUOIT_CONSUMER; role++) {
            char numbers[64];
            (void)snprintf(numbers, sizeof numbers, "%d %u %llu", i, role,
                           (unsigned long long)test_random());
            const char *const arguments[] = {numbers, NULL};
            if (role == QUOIT_CONSUMER || layouts[i].produces)
                processes[count++] = test_spawn("run_orders", arguments);
        }
    for (int i = 0; i < count; i++)
        CHECK_EQUAL(test_wait(processes[i]), 0);
}

/* A handle that is both sides gets ABANDONED for other members, and is not its own peer. */
static void one_is_both(void)
{
    struct quoit_queue_options many = layouts[3].options;
    const char *name = test_name("");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &many, BOTH, &queue), QUOIT_OK);
    const struct side pops = {queue, QUOIT_CONSUMER}, pushes = {queue, QUOIT_PRODUCER};
    expect(&pops, true, 0, QUOIT_EMPTY);
    struct peer peer = start_peer(name, QUOIT_CONSUMER, WORK, "kill");
    go_on(&peer, WORKED);
    end_peer(&peer);
    expect(&pops, true, WORK, QUOIT_ABANDONED);
    expect(&pushes, true, CAPACITY, QUOIT_EMPTY);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* The producer of a broadcast can work without subscribers. */
static void broadcasts_producer(void)
{
    for (int i = 4; i < LAYOUTS; i++) {
        const char *name = test_name("");
        struct side side = {.role = QUOIT_PRODUCER};
        CHECK_STATUS(quoit_queue_create(name, &layouts[i].options, QUOIT_PRODUCER, &side.queue),
                     QUOIT_OK);
        struct peer peer = start_peer(name, QUOIT_PRODUCER, 0, "kill");
        end_peer(&peer);
        for (int pushed = 0; pushed < 3 * CAPACITY; pushed++)
            CHECK_STATUS(step(&side, QUOIT_FOREVER), QUOIT_OK);
        quoit_queue_close(side.queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
    }
}

/* A batch call reports it too. */
static void by_batches(void)
{
    const char *name = test_name("");
    struct side side = {.role = QUOIT_CONSUMER};
    uint64_t items[8];
    size_t count;
    quoit_status status = QUOIT_EMPTY;
    CHECK_STATUS(quoit_queue_create(name, &layouts[0].options, QUOIT_CONSUMER, &side.queue),
                 QUOIT_OK);
    struct peer peer = start_peer(name, QUOIT_CONSUMER, WORK, "kill");
    go_on(&peer, WORKED);
    end_peer(&peer);
    CHECK_STATUS(quoit_queue_pop_many(side.queue, items, 8, 8, &count, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(count, WORK);
    for (uint64_t begin = now_ms(); status == QUOIT_EMPTY && now_ms() - begin < LIMIT_MS;) {
        status = quoit_queue_pop_many(side.queue, items, 8, 8, &count, QUOIT_NOW);
        CHECK_EQUAL(count, 0);
        test_sleep_ms(2);
    }
    CHECK_STATUS(status, QUOIT_ABANDONED);
    CHECK_STATUS(step(&side, 0), QUOIT_EMPTY);
    quoit_queue_close(side.queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

/* A finished stream is not abandoned, even while another consumer may return its last item. */
static void finished_but_peeked(void)
{
    const char *name = test_name("");
    struct side side = {.role = QUOIT_CONSUMER};
    const void *item;
    size_t count;
    CHECK_STATUS(quoit_queue_create(name, &layouts[3].options, QUOIT_CONSUMER, &side.queue),
                 QUOIT_OK);
    struct side other = open_side(name, QUOIT_CONSUMER, 0);
    struct peer peer = start_peer(name, QUOIT_CONSUMER, 1, "finish");
    go_on(&peer, WORKED);
    CHECK_STATUS(quoit_queue_peek_many(other.queue, &item, &count, QUOIT_NOW), QUOIT_OK);
    end_peer(&peer);
    for (int waits = 0; waits < 2; waits++)
        expect(&side, waits, 0, QUOIT_EMPTY);
    quoit_queue_close(other.queue);
    expect(&side, true, 1, QUOIT_FINISHED);
    quoit_queue_close(side.queue);
    CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"every_order", every_order},
                                             {"one_is_both", one_is_both},
                                             {"broadcasts_producer", broadcasts_producer},
                                             {"by_batches", by_batches},
                                             {"finished_but_peeked", finished_but_peeked},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"act_as_peer", act_as_peer},
                                             {"die_joining", die_joining},
                                             {"run_orders", run_orders},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
