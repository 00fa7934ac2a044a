/* SPDX-License-Identifier: MIT */
/*
 * Four producers and four consumers use one queue. At random they are killed and started again, or
 * stopped for a moment, for some seconds (QUOIT_STORM_SECONDS; the default depends on the effort).
 * A ledger that outlives them counts how often each pushed item was received. No committed item may
 * be lost. At most one item for each killed consumer may come twice.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIDE = 4, MEMBERS = 2 * SIDE, BATCH = 8, LIVES = 100, ITEMS = 20000 };

struct item {
    uint64_t number; /* life * ITEMS + what it pushed before + 1 */
    uint64_t inverse;
};

/* Records also what a killed member was about to do. */
struct ledger {
    struct {
        _Atomic uint64_t intended, committed;
    } producers[LIVES];
    struct {
        struct item popped[BATCH]; /* and not yet counted; 0: no item */
        _Atomic uint64_t late;
    } consumers[LIVES];
    _Atomic uint32_t came[LIVES * ITEMS];
};

static struct item item_of(uint64_t life, uint64_t index)
{
    uint64_t number = life * ITEMS + index + 1;
    return (struct item){.number = number, .inverse = ~number};
}

static bool is_whole(const struct item *item)
{
    return item->number > 0 && item->number <= (uint64_t)LIVES * ITEMS &&
           item->inverse == ~item->number;
}

/* ---- Members --------------------------------------------------------------------------------- */

struct member {
    quoit_queue *queue;
    struct ledger *ledger;
    uint64_t life;
    uint64_t last[LIVES]; /* of a consumer: the last item of each producer */
};

static void enter(struct member *member, char **arguments, unsigned role)
{
    quoit_region *region;
    member->ledger = test_shared(arguments[1], sizeof *member->ledger, &region);
    member->life = strtoull(arguments[2], NULL, 10);
    CHECK_STATUS(quoit_queue_open(arguments[0], role, &member->queue), QUOIT_OK);
}

static uint64_t push_some(struct member *member, const struct item *items, size_t count)
{
    void *place;
    size_t room;
    switch (member->life % 4) {
    case 0:
        return quoit_queue_push(member->queue, items, (size_t)quoit_queue_item_bytes(member->queue),
                                QUOIT_NOW) == QUOIT_OK;
    case 1:
        return test_push_many(member->queue, items, count);
    case 2:
        return quoit_queue_push(member->queue, items, (size_t)quoit_queue_item_bytes(member->queue),
                                5000000) == QUOIT_OK;
    default:
        if (quoit_queue_claim_many(member->queue, 1, &place, &room, QUOIT_NOW) != QUOIT_OK)
            return 0;
        memcpy(place, items, sizeof *items);
        CHECK_STATUS(quoit_queue_commit_many(member->queue, 1), QUOIT_OK);
        return 1;
    }
}

static void produce(char **arguments)
{
    static struct member self;
    enter(&self, arguments, QUOIT_PRODUCER);
    for (uint64_t index = 0; index + BATCH <= ITEMS;) {
        struct item items[BATCH];
        for (uint64_t i = 0; i < BATCH; i++)
            items[i] = item_of(self.life, index + i);
        atomic_store(&self.ledger->producers[self.life].intended, index + BATCH);
        uint64_t pushed = push_some(&self, items, BATCH);
        index += pushed;
        atomic_store(&self.ledger->producers[self.life].committed, index);
        if (pushed == 0)
            test_idle();
    }
    for (;;)
        test_sleep_ms(1000);
}

static void count_item(struct member *member, const struct item *item)
{
    CHECK(is_whole(item));
    uint64_t *last = &member->last[(item->number - 1) / ITEMS];
    if (item->number <= *last)
        atomic_fetch_add(&member->ledger->consumers[member->life].late, 1);
    else
        *last = item->number;
    CHECK_LT(atomic_fetch_add(&member->ledger->came[item->number - 1], 1), UINT8_MAX);
}

/* Pops straight into the ledger, which shows the items that a killed consumer took with it. */
static uint64_t pop_some(struct member *member)
{
    struct item *popped = member->ledger->consumers[member->life].popped;
    uint64_t count;
    if (member->life % 4 == 1)
        count = test_pop_many(member->queue, popped, BATCH);
    else
        count = quoit_queue_pop(member->queue, popped,
                                (size_t)quoit_queue_item_bytes(member->queue), NULL,
                                5000000) == QUOIT_OK;
    for (uint64_t i = 0; i < count; i++) {
        count_item(member, &popped[i]);
        *(volatile uint64_t *)&popped[i].number = 0;
    }
    return count;
}

static uint64_t peek_some(struct member *member)
{
    const void *items;
    size_t count;
    int64_t timeout_ns = member->life % 4 == 3 ? 5000000 : QUOIT_NOW;
    if (quoit_queue_peek_many(member->queue, &items, &count, timeout_ns) != QUOIT_OK)
        return 0;
    struct item item;
    memcpy(&item, items, sizeof item);
    count_item(member, &item);
    CHECK_STATUS(quoit_queue_release(member->queue), QUOIT_OK);
    return 1;
}

static void consume(char **arguments)
{
    static struct member self;
    enter(&self, arguments, QUOIT_CONSUMER);
    for (;;)
        if ((self.life % 4 == 1 || self.life % 4 == 2 ? pop_some(&self) : peek_some(&self)) == 0)
            test_idle();
}

/* ---- The storm ------------------------------------------------------------------------------- */

struct storm {
    const char *name, *ledger_name;
    quoit_queue *queue;
    uint64_t capacity;
    struct ledger *ledger;
    struct member self;
    test_process members[MEMBERS];
    uint64_t life_of[MEMBERS];
    uint64_t lives[2];                            /* of producers and of consumers, in this epoch */
    uint64_t kills, consumer_kills, items, twice; /* in all epochs */
};

static void start_member(struct storm *storm, int i)
{
    char life[24];
    bool consumes = i >= SIDE;
    storm->life_of[i] = storm->lives[consumes]++;
    (void)snprintf(life, sizeof life, "%llu", (unsigned long long)storm->life_of[i]);
    const char *const arguments[] = {storm->name, storm->ledger_name, life, NULL};
    storm->members[i] = test_spawn(consumes ? "consume" : "produce", arguments);
}

static void kill_member(struct storm *storm, int i)
{
    test_kill(storm->members[i]);
    CHECK_EQUAL(test_wait(storm->members[i]), TEST_KILLED);
    storm->kills++;
}

/* Kills and starts members until one side has had all its lives. */
static void blow(struct storm *storm)
{
    for (int i = 0; i < MEMBERS; i++)
        start_member(storm, i);
    while (storm->lives[0] < LIVES && storm->lives[1] < LIVES - 1) {
        int i = (int)(test_random() % MEMBERS);
        test_sleep_ms((int)(test_random() % 12));
        if (test_random() % 4 == 0) {
            test_pause(storm->members[i]);
            test_sleep_ms((int)(test_random() % 4));
            if (test_random() % 2 == 0)
                test_resume(storm->members[i]);
        }
        kill_member(storm, i);
        start_member(storm, i);
    }
    for (int i = 0; i < MEMBERS; i++)
        kill_member(storm, i);
}

/* After all members were killed: the items that they left can be popped without waiting, and the
   whole capacity is free again. */
static void drain(struct storm *storm)
{
    struct item item;
    CHECK_STATUS(quoit_queue_check(storm->queue), QUOIT_OK);
    storm->self.life = LIVES - 1;
    while (quoit_queue_pop(storm->queue, &item, sizeof item, NULL, QUOIT_NOW) == QUOIT_OK)
        count_item(&storm->self, &item);
    CHECK_EQUAL(quoit_queue_size(storm->queue), 0);
    uint64_t pushed = 0;
    for (item = item_of(0, 0);
         quoit_queue_push(storm->queue, &item, sizeof item, QUOIT_NOW) == QUOIT_OK;)
        pushed++;
    CHECK_EQUAL(pushed, storm->capacity);
    while (quoit_queue_pop(storm->queue, &item, sizeof item, NULL, QUOIT_NOW) == QUOIT_OK)
        pushed--;
    CHECK_EQUAL(pushed, 0);
    CHECK_STATUS(quoit_queue_check(storm->queue), QUOIT_OK);
}

static bool went_along(const struct ledger *ledger, uint64_t number)
{
    for (int life = 0; life < LIVES; life++)
        for (int i = 0; i < BATCH; i++)
            if (ledger->consumers[life].popped[i].number == number &&
                is_whole(&ledger->consumers[life].popped[i]))
                return true;
    return false;
}

static void settle(struct storm *storm)
{
    struct ledger *ledger = storm->ledger;
    uint64_t twice = 0, late = 0, kills = storm->lives[1];
    for (uint64_t life = 0; life < LIVES; life++) {
        uint64_t intended = atomic_load(&ledger->producers[life].intended);
        uint64_t committed = atomic_load(&ledger->producers[life].committed);
        late += atomic_load(&ledger->consumers[life].late);
        storm->items += committed;
        for (uint64_t i = 0; i < ITEMS; i++) {
            uint64_t came = atomic_load(&ledger->came[life * ITEMS + i]);
            if (came > 1)
                twice += came - 1;
            if (i < committed && came == 0 && !went_along(ledger, life * ITEMS + i + 1))
                test_fail(__FILE__, __LINE__, "item %llu of producer %llu is lost",
                          (unsigned long long)i, (unsigned long long)life);
            CHECK(i < intended || came == 0);
        }
    }
    CHECK_LE(twice, kills);
    CHECK_LE(late, kills * BATCH);
    storm->twice += twice;
    storm->consumer_kills += kills;
}

static void make_queue(struct storm *storm)
{
    static const uint64_t capacities[] = {5, 1, 64, 1000};
    static unsigned made;
    storm->capacity = capacities[made++ % 4];
    const struct quoit_queue_options options = {
        .kind = QUOIT_MPMC, .item_bytes = sizeof(struct item), .capacity = storm->capacity};
    CHECK_STATUS(
        quoit_queue_create(storm->name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &storm->queue),
        QUOIT_OK);
}

static void remove_queue(struct storm *storm)
{
    quoit_queue_close(storm->queue);
    CHECK_STATUS(quoit_unlink(storm->name, 0), test_after_close(storm->name));
}

static void storm(void)
{
    static struct storm storm;
    const char *text = getenv("QUOIT_STORM_SECONDS");
    uint64_t seconds = text ? strtoull(text, NULL, 10) : test_effort(5, 600),
             start = (uint64_t)time(NULL);
    quoit_region *region;
    storm.name = test_name("");
    storm.ledger_name = test_name("");
    storm.ledger = storm.self.ledger = test_share(storm.ledger_name, sizeof *storm.ledger, &region);
    for (unsigned epoch = 0; epoch == 0 || (uint64_t)time(NULL) - start < seconds; epoch++) {
        make_queue(&storm);
        memset(storm.ledger, 0, sizeof *storm.ledger);
        memset(storm.self.last, 0, sizeof storm.self.last);
        storm.lives[0] = storm.lives[1] = 0;
        blow(&storm);
        drain(&storm);
        settle(&storm);
        remove_queue(&storm);
    }
    quoit_region_close(region);
    (void)quoit_unlink(storm.ledger_name, 0);
    printf("  %llu kills, %llu of consumers; %llu items, none lost, %llu twice\n",
           (unsigned long long)storm.kills, (unsigned long long)storm.consumer_kills,
           (unsigned long long)storm.items, (unsigned long long)storm.twice);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"a storm of kills", storm}, {NULL, NULL}};
    static const struct test_role roles[] = {
        {"produce", produce}, {"consume", consume}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
