/* SPDX-License-Identifier: MIT */
/* Inspection in one process: browsing, members, counters, and the list of objects.
   process/browse_test.c inspects while processes work. */
#include "test.h"

#include "queue_shm.h"

#include <string.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER, SPAN = 264 };

/* Every layout of the ring, and every way to keep messages in it. */
static const struct quoit_queue_options kinds[] = {
    {.item_bytes = 24, .capacity = 4},
    {.item_bytes = SPAN, .capacity = 4},
    {.item_bytes = 24, .capacity = 4, .messages = 1},
    {.item_bytes = 24, .capacity = 4, .kind = QUOIT_MPMC},
    {.item_bytes = 24, .capacity = 4, .kind = QUOIT_MPMC, .messages = 1},
    {.item_bytes = 24, .capacity = 4, .kind = QUOIT_BROADCAST},
    {.item_bytes = 24, .capacity = 4, .kind = QUOIT_BROADCAST, .messages = 1},
    {.item_bytes = 24, .capacity = 4, .kind = QUOIT_BROADCAST, .when_full = QUOIT_DROP_OLDEST},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct world {
    const char *name;
    const struct quoit_queue_options *options;
    quoit_queue *queue, *observer;
};

static struct world set_up(const struct quoit_queue_options *options)
{
    struct world world = {.name = test_name(""), .options = options};
    snprintf(test_context, sizeof test_context, "kind %u, %s of %d bytes, when_full %u",
             (unsigned)options->kind, options->messages ? "messages" : "items",
             (int)options->item_bytes, (unsigned)options->when_full);
    CHECK_STATUS(quoit_queue_create(world.name, options, BOTH, &world.queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open(world.name, QUOIT_OBSERVER, &world.observer), QUOIT_OK);
    return world;
}

static void tear_down(const struct world *world)
{
    CHECK_STATUS(quoit_queue_check(world->observer), QUOIT_OK);
    quoit_queue_close(world->observer);
    quoit_queue_close(world->queue);
    CHECK_STATUS(quoit_unlink(world->name, 0), test_after_close(world->name));
    test_context[0] = '\0';
}

static quoit_status push(const struct world *world, const char text[SPAN])
{
    return world->options->messages
               ? quoit_queue_push(world->queue, text, strlen(text) + 1, QUOIT_NOW)
               : quoit_queue_push(world->queue, text, (size_t)quoit_queue_item_bytes(world->queue),
                                  QUOIT_NOW);
}

static void push_number(const struct world *world, int number)
{
    char text[SPAN] = {0};
    snprintf(text, sizeof text, "%d", number);
    CHECK_STATUS(push(world, text), QUOIT_OK);
}

static void pop_one(const struct world *world)
{
    char text[SPAN];
    size_t bytes;
    if (world->options->messages)
        CHECK_STATUS(quoit_queue_pop(world->queue, text, sizeof text, &bytes, QUOIT_NOW), QUOIT_OK);
    else
        CHECK_STATUS(quoit_queue_pop(world->queue, text,
                                     (size_t)quoit_queue_item_bytes(world->queue), NULL, QUOIT_NOW),
                     QUOIT_OK);
}

static void shows(const struct world *world, struct quoit_browser *browser, int number)
{
    char text[SPAN], expected[SPAN];
    uint64_t bytes = 0;
    snprintf(expected, sizeof expected, "%d", number);
    CHECK_STATUS(quoit_queue_browse(world->observer, browser, text, sizeof text, &bytes), QUOIT_OK);
    CHECK_STR(text, expected);
    CHECK_EQUAL(bytes,
                world->options->messages ? strlen(expected) + 1 : world->options->item_bytes);
}

static quoit_status browse(const struct world *world, struct quoit_browser *browser)
{
    char text[SPAN];
    return quoit_queue_browse(world->observer, browser, text, sizeof text, NULL);
}

/* ---- Items ----------------------------------------------------------------------------------- */

/* Browsing returns the queued items in order, repeatedly, and removes none. */
static void browse_items(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        struct quoit_browser browser = {0}, other = {0};
        CHECK_STATUS(browse(&world, &browser), QUOIT_EMPTY);
        push_number(&world, 1);
        push_number(&world, 22);
        shows(&world, &browser, 1);
        shows(&world, &browser, 22);
        CHECK_STATUS(browse(&world, &browser), QUOIT_EMPTY);
        push_number(&world, 3);
        shows(&world, &browser, 3);
        CHECK_EQUAL(quoit_queue_size(world.queue), 3);
        CHECK_STATUS(quoit_queue_finish(world.queue), QUOIT_OK);
        shows(&world, &other, 1);
        CHECK_STATUS(browse(&world, &browser), QUOIT_FINISHED);
        CHECK_EQUAL(browser.missed + other.missed, 0);
        tear_down(&world);
    }
}

/* Items that were popped before the browser reached them are counted. A broadcast keeps them. */
static void missed_items(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        struct quoit_browser browser = {0};
        bool keeps = kinds[k].kind == QUOIT_BROADCAST;
        push_number(&world, 1);
        shows(&world, &browser, 1);
        for (int i = 2; i <= 4; i++)
            push_number(&world, i);
        for (int i = 1; i <= 3; i++)
            pop_one(&world);
        if (keeps) {
            shows(&world, &browser, 2);
            shows(&world, &browser, 3);
        }
        shows(&world, &browser, 4);
        bool bytes = kinds[k].kind == QUOIT_SPSC && kinds[k].messages;
        CHECK_EQUAL(browser.missed, keeps ? 0 : bytes ? 1 : 2);
        tear_down(&world);
    }
}

/* Laps later, with any content in the slots. */
static void lapped(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        struct quoit_browser browser = {0};
        for (int i = 1; i <= 50; i++) {
            push_number(&world, i);
            if (i == 1)
                shows(&world, &browser, 1);
            if (i > 2)
                pop_one(&world);
        }
        struct quoit_queue_info info;
        CHECK_STATUS(quoit_queue_inspect(world.observer, &info), QUOIT_OK);
        struct quoit_browser newest = {.next = info.pushed, .begun = true};
        CHECK_STATUS(browse(&world, &newest), QUOIT_EMPTY);
        uint64_t seen = 1;
        while (browse(&world, &browser) == QUOIT_OK)
            seen++;
        CHECK_GE(seen, 3);
        if (!(kinds[k].kind == QUOIT_SPSC && kinds[k].messages))
            CHECK_EQUAL(seen + browser.missed, 50);
        push_number(&world, 51);
        shows(&world, &newest, 51);
        tear_down(&world);
    }
}

static void too_big(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        struct quoit_browser browser = {0};
        char small[2];
        uint64_t bytes;
        push_number(&world, 12345);
        CHECK_STATUS(quoit_queue_browse(world.observer, &browser, small, sizeof small, &bytes),
                     QUOIT_ERROR_TOO_BIG);
        CHECK_EQUAL(bytes, kinds[k].messages ? 6 : kinds[k].item_bytes);
        shows(&world, &browser, 12345);
        tear_down(&world);
    }
    struct quoit_browser browser = {0};
    CHECK_STATUS(quoit_queue_browse(NULL, &browser, NULL, 0, NULL), QUOIT_ERROR_INVALID);
}

/* Forged positions lead to an item or to none, and never outside the ring. */
static void wild_browsers(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        for (int i = 0; i < 3; i++)
            push_number(&world, i);
        for (uint64_t shift = 0; shift < 64; shift++)
            for (uint64_t off = 0; off < 9; off++) {
                struct quoit_browser browser = {.next = (UINT64_C(1) << shift) + off - 4,
                                                .begun = true};
                (void)browse(&world, &browser);
                browser.next = 0 - browser.next;
                (void)browse(&world, &browser);
            }
        tear_down(&world);
    }
}

/* An item whose first word equals the empty mark. */
static void hidden_items(void)
{
    struct world world = set_up(&kinds[0]);
    quoit_region *region;
    struct quoit_queue_shm header;
    CHECK_STATUS(quoit_region_open(world.name, QUOIT_OBSERVER, &region), QUOIT_OK);
    const void *at = quoit_region_at(region, quoit_region_root(region), sizeof header);
    CHECK(at);
    memcpy(&header, at, sizeof header);
    quoit_region_close(region);
    char item[SPAN] = {0}, seen[SPAN];
    struct quoit_browser browser = {0};
    memcpy(item, &header.empty, sizeof header.empty);
    item[20] = 'x';
    CHECK_STATUS(
        quoit_queue_push(world.queue, item, (size_t)quoit_queue_item_bytes(world.queue), QUOIT_NOW),
        QUOIT_OK);
    push_number(&world, 2);
    CHECK_STATUS(quoit_queue_browse(world.observer, &browser, seen, sizeof seen, NULL), QUOIT_OK);
    CHECK_EQ(memcmp(item, seen, (size_t)world.options->item_bytes), 0);
    shows(&world, &browser, 2);
    tear_down(&world);
}

/* ---- Members and counters -------------------------------------------------------------------- */

static void who_is_in(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        struct quoit_member_info members[QUOIT_MEMBERS_MAX];
        uint64_t count;
        CHECK_STATUS(quoit_queue_members(world.observer, members, QUOIT_MEMBERS_MAX, &count),
                     QUOIT_OK);
        CHECK_EQUAL(count, 1);
        CHECK_EQUAL(members[0].pid, test_own_pid());
        CHECK_EQUAL(members[0].roles, BOTH);
        CHECK(members[0].alive);
        CHECK_GT(members[0].joined_at_unix_ns, 0);
        CHECK(!members[0].holds_up);
        for (int i = 0; i < 4; i++)
            push_number(&world, i);
        CHECK_STATUS(quoit_queue_members(world.queue, members, 1, &count), QUOIT_OK);
        bool lossless = kinds[k].kind == QUOIT_BROADCAST &&
                        kinds[k].when_full == QUOIT_WAIT_FOR_SLOWEST;
        CHECK_EQ(members[0].holds_up, kinds[k].kind == QUOIT_SPSC || lossless);
        CHECK_EQUAL(members[0].lag, kinds[k].kind == QUOIT_BROADCAST ? 4 : 0);
        CHECK_STATUS(quoit_queue_members(world.queue, NULL, 1, &count), QUOIT_ERROR_INVALID);
        CHECK_STATUS(quoit_queue_members(world.queue, NULL, 0, &count), QUOIT_OK);
        CHECK_EQUAL(count, 1);
        tear_down(&world);
    }
}

/* MPMC: a claim at the head, and the oldest item that a consumer has claimed. */
static void who_holds_up(void)
{
    struct world world = set_up(&kinds[3]);
    quoit_queue *other;
    struct quoit_member_info members[2];
    uint64_t count;
    size_t items;
    void *claimed;
    const void *seen;
    CHECK_STATUS(quoit_queue_open(world.name, BOTH, &other), QUOIT_OK);
    CHECK_STATUS(quoit_queue_claim_many(other, 1, &claimed, &items, QUOIT_NOW), QUOIT_OK);
    push_number(&world, 1);
    CHECK_STATUS(quoit_queue_members(world.observer, members, 2, &count), QUOIT_OK);
    CHECK_EQUAL(count, 2);
    CHECK(!members[0].holds_up);
    CHECK(members[1].holds_up);
    CHECK_STATUS(quoit_queue_commit_many(other, 1), QUOIT_OK);
    CHECK_STATUS(quoit_queue_peek_many(other, &seen, &items, QUOIT_NOW), QUOIT_OK);
    push_number(&world, 2);
    push_number(&world, 3);
    CHECK_STATUS(quoit_queue_members(world.observer, members, 2, &count), QUOIT_OK);
    CHECK(!members[0].holds_up);
    CHECK(members[1].holds_up);
    quoit_queue_close(other);
    tear_down(&world);
}

static void counters(void)
{
    for (int k = 0; k < KINDS; k++) {
        struct world world = set_up(&kinds[k]);
        bool lossy = kinds[k].when_full == QUOIT_DROP_OLDEST;
        struct quoit_queue_info info;
        char item[SPAN] = "longest message of all.";
        size_t bytes, rooms;
        void *room;
        CHECK_STATUS(kinds[k].messages
                         ? quoit_queue_pop(world.queue, item, 24, &bytes, QUOIT_NOW)
                         : quoit_queue_pop(world.queue, item,
                                           (size_t)quoit_queue_item_bytes(world.queue), NULL,
                                           QUOIT_NOW),
                     QUOIT_EMPTY);
        CHECK_STATUS(quoit_queue_pop(world.queue, item, sizeof item, NULL, 2000000), QUOIT_EMPTY);
        for (int i = 0; i < 4; i++)
            CHECK_STATUS(push(&world, item), QUOIT_OK);
        CHECK_STATUS(push(&world, item), lossy ? QUOIT_OK : QUOIT_FULL);
        CHECK_STATUS(kinds[k].messages
                         ? quoit_queue_claim(world.queue, 24, &room, QUOIT_NOW)
                         : quoit_queue_claim_many(world.queue, 1, &room, &rooms, QUOIT_NOW),
                     lossy ? QUOIT_OK : QUOIT_FULL);
        CHECK_STATUS(quoit_queue_inspect(world.queue, &info), QUOIT_OK);
        CHECK_STATUS(quoit_queue_inspect(world.observer, &info), QUOIT_OK);
        CHECK_EQUAL(info.full, lossy ? 0 : 2);
        CHECK_EQUAL(info.empty, 2); /* without waiting, and with a timeout */
        CHECK_GE(info.sleeps, 1);
        CHECK_EQUAL(info.high_water, 4);
        CHECK_EQUAL(info.repairs, 0);
        tear_down(&world);
    }
}

/* A consumer that reads in place sees how many items are queued, now and then. */
static void high_water_in_place(void)
{
    const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 64};
    struct quoit_queue_info info;
    const char *name = test_name("local");
    const void *item;
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue),
                 QUOIT_OK);
    for (uint64_t i = 1; i <= 50; i++)
        CHECK_STATUS(quoit_queue_push(queue, &i, sizeof i, QUOIT_NOW), QUOIT_OK);
    while (quoit_queue_peek(queue, &item, NULL, QUOIT_NOW) == QUOIT_OK)
        CHECK_STATUS(quoit_queue_release(queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_EQUAL(info.high_water, 50);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
}

/* ---- The list of objects --------------------------------------------------------------------- */

struct finds {
    const char *text; /* without the scheme and the directory */
    int found, all;
    bool stops;
};

static bool find(void *context, const char *name)
{
    struct finds *finds = context;
    size_t length = strlen(name), end = strlen(finds->text);
    finds->all++;
    if (length > end && strcmp(name + length - end, finds->text) == 0)
        finds->found++;
    return !finds->stops;
}

static void list_objects(void)
{
    for (int s = 0; TEST_LOOP_TEXT(test_shared_schemes[s], 0, test_shared_schemes[s]); s++) {
        const char *name = test_name(test_shared_schemes[s]);
        struct finds finds = {.text = strchr(name, ':') + 1};
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_create(name, &kinds[0], BOTH, &queue), QUOIT_OK);
        snprintf(test_context, sizeof test_context, "%s", name);
        quoit_status status = quoit_list(test_shared_schemes[s], find, &finds);
        CHECK_STATUS_ANY(status, QUOIT_OK, QUOIT_ERROR_UNSUPPORTED);
        CHECK_EQUAL(finds.found, status == QUOIT_OK);
        CHECK_STATUS(quoit_list(NULL, find, &finds), QUOIT_OK);
        CHECK_EQUAL(finds.found, status == QUOIT_OK ? 2 : 0);
        quoit_queue_close(queue);
        CHECK_STATUS(quoit_unlink(name, 0), test_after_close(name));
        finds.found = 0;
        CHECK_STATUS(quoit_list(NULL, find, &finds), QUOIT_OK);
        CHECK_EQUAL(finds.found, 0);
    }
}

/* Lists queues, pools and regions, also damaged ones, and nothing else. */
static void list_a_directory(void)
{
    const char *name = test_name("file"), *text = test_path(name);
    char other[300];
    snprintf(other, sizeof other, "%s-other", text);
    struct finds finds = {.text = text}, others = {.text = other};
    quoit_pool *pool;
    const struct quoit_pool_options options = {.block_bytes = 8, .blocks = 2};
    CHECK_STATUS(quoit_pool_create(name, &options, 0, &pool), QUOIT_OK);
    quoit_pool_close(pool);
    test_write_file(other, "QUOIT", 5);
    CHECK_STATUS(quoit_list("file:.", find, &finds), QUOIT_OK);
    CHECK_EQUAL(finds.found, 1);
    finds.stops = true;
    finds.all = 0;
    CHECK_STATUS(quoit_list("file:.", find, &finds), QUOIT_OK);
    CHECK_EQUAL(finds.all, 1);
    CHECK_STATUS(quoit_list("file:.", find, &others), QUOIT_OK);
    CHECK_EQUAL(others.found, 0);
    CHECK_EQ(remove(other), 0);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    CHECK_STATUS(quoit_list("file:/no/such/directory", find, &finds), QUOIT_ERROR_NOT_FOUND);
    CHECK_STATUS(quoit_list("nowhere", find, &finds), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_list("sysv:products", find, &finds), QUOIT_ERROR_NAME);
    CHECK_STATUS(quoit_list(NULL, NULL, NULL), QUOIT_ERROR_INVALID);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"browse items", browse_items},
                                             {"missed items", missed_items},
                                             {"lapped", lapped},
                                             {"too big", too_big},
                                             {"wild browsers", wild_browsers},
                                             {"hidden items", hidden_items},
                                             {"members", who_is_in},
                                             {"the member that holds up", who_holds_up},
                                             {"counters", counters},
                                             {"high water in place", high_water_in_place},
                                             {"list objects", list_objects},
                                             {"list a directory", list_a_directory},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
