/* SPDX-License-Identifier: MIT */
/* On a ring whose table is OPS, a producer pushes twice, a consumer pops once (unless NO_CONSUMER
   is defined), and an observer copies once by OBSERVE. No copy that the observer accepts may mix
   two items. */
#ifndef GENMC_BROWSE_H
#define GENMC_BROWSE_H

#ifndef OBSERVE
#define OBSERVE observe
#endif

static struct quoit_ring_view producer_view, consumer_view, observer_view;

static void *produce(void *unused)
{
    (void)push_item(&producer_view, 1);
    (void)push_item(&producer_view, 2);
    return unused;
}

static void *consume(void *unused)
{
#ifndef NO_CONSUMER
    uint64_t item[WORDS];
    if (OPS.pop(&consumer_side, &consumer_view, item, &(uint64_t){consumer_view.item_bytes}) ==
        QUOIT_OK)
        assert(item[0] != 0 && item[0] == item[1]);
#endif
    return unused;
}

static void *observer(void *unused)
{
    OBSERVE(&observer_view);
    return unused;
}

int main(void)
{
    pthread_t threads[3];
    fill_view(&producer_view, &OPS, 0);
    fill_view(&consumer_view, &OPS, 1);
    fill_view(&observer_view, &OPS, MEMBERS);
    OPS.init(&producer_view, 0);
    begin_sides(&producer_view);
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
