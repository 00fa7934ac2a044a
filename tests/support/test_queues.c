/* SPDX-License-Identifier: MIT */
/* Helpers of the tests for queues and semaphores. */
#include "test.h"

#include "queue_shm.h"

size_t test_push_many(quoit_queue *queue, const void *items, size_t count)
{
    size_t pushed, item_bytes = (size_t)quoit_queue_item_bytes(queue);
    (void)quoit_queue_push_many(queue, items, item_bytes, count, &pushed, QUOIT_NOW);
    return pushed;
}

size_t test_pop_many(quoit_queue *queue, void *items, size_t count)
{
    size_t popped, item_bytes = (size_t)quoit_queue_item_bytes(queue);
    (void)quoit_queue_pop_many(queue, items, item_bytes, count, &popped, QUOIT_NOW);
    return popped;
}

void test_keep_spans(bool keep)
{
    quoit_queue_largest_in_slots = keep ? 0 : QUOIT_SPSC_LARGEST_IN_SLOTS;
}

bool test_is_finished(const quoit_queue *queue)
{
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    return info.finished;
}

uint32_t test_sem_value(quoit_sem *sem)
{
    uint32_t value = 0;
    quoit_status status = quoit_sem_value(sem, &value);
    if (status != QUOIT_ERROR_UNSUPPORTED) {
        CHECK_STATUS_IS(status, ==, QUOIT_OK);
        return value;
    }
    while (quoit_sem_wait(sem, QUOIT_NOW) == QUOIT_OK) /* macOS cannot read it */
        value++;
    for (uint32_t i = 0; i < value; i++)
        CHECK_STATUS(quoit_sem_post(sem), QUOIT_OK);
    return value;
}
