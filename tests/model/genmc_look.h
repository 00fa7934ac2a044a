/* SPDX-License-Identifier: MIT */
/* On a ring whose table is OPS, a producer pushes twice, a consumer pops once (unless NO_CONSUMER
   is defined), and an observer copies once by OBSERVE. No copy that the observer accepts may mix
   two items. */
#ifndef GENMC_LOOK_H
#define GENMC_LOOK_H

#ifndef OBSERVE
#define OBSERVE observe
#endif

static struct quoit_ring_place producer_place, consumer_place, observer_place;

static void *produce(void *unused)
{
    (void)push_item(&producer_place, 1);
    (void)push_item(&producer_place, 2);
    return unused;
}

static void *consume(void *unused)
{
#ifndef NO_CONSUMER
    uint64_t item[WORDS];
    if (OPS.pop(&consumer_side, &consumer_place, item, &(uint64_t){consumer_place.item_bytes}) ==
        QUOIT_OK)
        assert(item[0] != 0 && item[0] == item[1]);
#endif
    return unused;
}

static void *observer(void *unused)
{
    OBSERVE(&observer_place);
    return unused;
}

int main(void)
{
    pthread_t threads[3];
    place_ring(&producer_place, &OPS, 0);
    place_ring(&consumer_place, &OPS, 1);
    place_ring(&observer_place, &OPS, MEMBERS);
    OPS.init(&producer_place, 0);
    begin_sides(&producer_place);
    begin_ring();
    if (pthread_create(&threads[0], NULL, produce, NULL) != 0 ||
        pthread_create(&threads[1], NULL, consume, NULL) != 0 ||
        pthread_create(&threads[2], NULL, observer, NULL) != 0)
        abort();
    for (int i = 0; i < 3; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}

#endif
