/* SPDX-License-Identifier: MIT */
/* Every function that the shared library exports, with its type. exports_linux_test.c calls each,
   and checks that none is missing here. */
#ifndef EXPORTS_H
#define EXPORTS_H

/* clang-format off */
#define QUEUE_EXPORTS(EXPORT) \
    EXPORT(uint32_t, version, (void)) \
    EXPORT(const char *, status_name, (quoit_status)) \
    EXPORT(const char *, describe, (quoit_status)) \
    EXPORT(quoit_status, queue_create, \
           (const char *, const struct quoit_queue_options *, uint32_t, quoit_queue **)) \
    EXPORT(quoit_status, queue_open, (const char *, uint32_t, quoit_queue **)) \
    EXPORT(quoit_status, queue_join, \
           (const char *, const struct quoit_queue_options *, uint32_t, quoit_queue **)) \
    EXPORT(quoit_status, queue_again, (const quoit_queue *, uint32_t, quoit_queue **)) \
    EXPORT(quoit_status, queue_fd, (const quoit_queue *, int *)) \
    EXPORT(quoit_status, queue_open_fd, (int, uint32_t, quoit_queue **)) \
    EXPORT(void, queue_close, (quoit_queue *)) \
    EXPORT(quoit_status, queue_finish, (quoit_queue *)) \
    EXPORT(quoit_status, queue_unlink, (quoit_queue *)) \
    EXPORT(quoit_status, unlink, (const char *, uint32_t)) \
    EXPORT(quoit_status, unlink_abandoned, (const char *, uint32_t)) \
    EXPORT(quoit_status, queue_push, (quoit_queue *, const void *, size_t, int64_t)) \
    EXPORT(quoit_status, queue_pop, (quoit_queue *, void *, size_t, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_push_many, \
           (quoit_queue *, const void *, size_t, size_t, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_pop_many, \
           (quoit_queue *, void *, size_t, size_t, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_claim, (quoit_queue *, size_t, void **, int64_t)) \
    EXPORT(quoit_status, queue_commit, (quoit_queue *, size_t)) \
    EXPORT(quoit_status, queue_discard, (quoit_queue *)) \
    EXPORT(quoit_status, queue_peek, (quoit_queue *, const void **, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_release, (quoit_queue *)) \
    EXPORT(quoit_status, queue_claim_many, (quoit_queue *, size_t, void **, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_commit_many, (quoit_queue *, size_t)) \
    EXPORT(quoit_status, queue_peek_many, (quoit_queue *, const void **, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_release_many, (quoit_queue *, size_t)) \
    EXPORT(quoit_status, queue_position, (quoit_queue *, uint64_t *)) \
    EXPORT(quoit_status, wait_any, (struct quoit_wait *, size_t, int64_t)) \
    EXPORT(quoit_status, queue_interrupt, (quoit_queue *)) \
    EXPORT(quoit_status, queue_poll_fd, (quoit_queue *, uint32_t, int *)) \
    EXPORT(uint64_t, queue_size, (const quoit_queue *)) \
    EXPORT(uint64_t, queue_capacity, (const quoit_queue *)) \
    EXPORT(uint64_t, queue_item_bytes, (const quoit_queue *)) \
    EXPORT(uint64_t, queue_missed, (const quoit_queue *)) \
    EXPORT(quoit_status, queue_latest, (const quoit_queue *, void *, size_t, size_t *)) \
    EXPORT(void *, queue_user_area, (const quoit_queue *)) \
    EXPORT(quoit_status, queue_check_typed, \
           (const quoit_queue *, uint32_t, size_t, size_t, const char *)) \
    EXPORT(quoit_status, queue_push_slow, (quoit_queue *, const void *, size_t, int64_t)) \
    EXPORT(quoit_status, queue_pop_slow, (quoit_queue *, void *, size_t, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_push_rest, \
           (quoit_queue *, const void *, size_t, size_t, size_t, size_t *, int64_t)) \
    EXPORT(quoit_status, queue_pop_rest, \
           (quoit_queue *, void *, size_t, size_t, size_t, size_t *, int64_t)) \
    EXPORT(void, queue_wake, (quoit_queue *, uint32_t)) \
    EXPORT(quoit_status, list, (const char *, quoit_visit *, void *)) \
    EXPORT(quoit_status, queue_inspect, (const quoit_queue *, struct quoit_queue_info *)) \
    EXPORT(quoit_status, queue_check, (const quoit_queue *)) \
    EXPORT(quoit_status, queue_members, \
           (const quoit_queue *, struct quoit_member_info *, uint64_t, uint64_t *)) \
    EXPORT(quoit_status, queue_browse, \
           (const quoit_queue *, struct quoit_browser *, void *, uint64_t, uint64_t *)) \
    EXPORT(quoit_status, queue_repair, (quoit_queue *, uint64_t *))

#define OTHER_EXPORTS(EXPORT) \
    EXPORT(quoit_status, pool_create, \
           (const char *, const struct quoit_pool_options *, uint32_t, quoit_pool **)) \
    EXPORT(quoit_status, pool_open, (const char *, uint32_t, quoit_pool **)) \
    EXPORT(quoit_status, pool_join, \
           (const char *, const struct quoit_pool_options *, uint32_t, quoit_pool **)) \
    EXPORT(void, pool_close, (quoit_pool *)) \
    EXPORT(quoit_status, pool_alloc, (quoit_pool *, quoit_block *)) \
    EXPORT(quoit_status, pool_free, (quoit_pool *, quoit_block)) \
    EXPORT(void *, pool_at, (const quoit_pool *, quoit_block)) \
    EXPORT(quoit_status, pool_push, (quoit_pool *, quoit_queue *, quoit_block, int64_t)) \
    EXPORT(quoit_status, pool_pop, (quoit_pool *, quoit_queue *, quoit_block *, int64_t)) \
    EXPORT(quoit_status, pool_reclaim, (quoit_pool *, quoit_queue *const *, uint64_t, uint64_t *)) \
    EXPORT(uint64_t, pool_block_bytes, (const quoit_pool *)) \
    EXPORT(uint64_t, pool_blocks, (const quoit_pool *)) \
    EXPORT(uint64_t, pool_free_count, (const quoit_pool *)) \
    EXPORT(quoit_status, pool_check, (const quoit_pool *)) \
    EXPORT(quoit_status, pool_members, \
           (const quoit_pool *, struct quoit_member_info *, uint64_t, uint64_t *)) \
    EXPORT(quoit_status, region_create, \
           (const char *, const struct quoit_region_options *, uint32_t, quoit_region **)) \
    EXPORT(quoit_status, region_join, \
           (const char *, const struct quoit_region_options *, uint32_t, quoit_region **)) \
    EXPORT(quoit_status, region_open, (const char *, uint32_t, quoit_region **)) \
    EXPORT(void, region_close, (quoit_region *)) \
    EXPORT(quoit_status, region_alloc, (quoit_region *, uint64_t, uint64_t, uint64_t *)) \
    EXPORT(void *, region_at, (const quoit_region *, uint64_t, uint64_t)) \
    EXPORT(quoit_status, region_set_root, (quoit_region *, uint64_t)) \
    EXPORT(uint64_t, region_root, (const quoit_region *)) \
    EXPORT(uint64_t, region_size, (const quoit_region *)) \
    EXPORT(uint64_t, region_bytes_left, (const quoit_region *)) \
    EXPORT(void *, region_data, (const quoit_region *)) \
    EXPORT(uint64_t, region_data_bytes, (const quoit_region *)) \
    EXPORT(quoit_status, lock_create, \
           (const char *, const struct quoit_lock_options *, uint32_t, quoit_lock **)) \
    EXPORT(quoit_status, lock_open, (const char *, uint32_t, quoit_lock **)) \
    EXPORT(quoit_status, lock_join, \
           (const char *, const struct quoit_lock_options *, uint32_t, quoit_lock **)) \
    EXPORT(void, lock_close, (quoit_lock *)) \
    EXPORT(quoit_status, lock_lock, (quoit_lock *, int64_t)) \
    EXPORT(quoit_status, lock_unlock, (quoit_lock *)) \
    EXPORT(quoit_status, lock_holder, (const quoit_lock *, uint32_t *)) \
    EXPORT(quoit_status, lock_members, \
           (const quoit_lock *, struct quoit_member_info *, uint64_t, uint64_t *)) \
    EXPORT(quoit_status, sem_create, \
           (const char *, const struct quoit_sem_options *, uint32_t, quoit_sem **)) \
    EXPORT(quoit_status, sem_open, (const char *, uint32_t, quoit_sem **)) \
    EXPORT(quoit_status, sem_join, \
           (const char *, const struct quoit_sem_options *, uint32_t, quoit_sem **)) \
    EXPORT(void, sem_close, (quoit_sem *)) \
    EXPORT(quoit_status, sem_unlink, (const char *, uint32_t)) \
    EXPORT(quoit_status, sem_wait, (quoit_sem *, int64_t)) \
    EXPORT(quoit_status, sem_post, (quoit_sem *)) \
    EXPORT(quoit_status, sem_value, (quoit_sem *, uint32_t *))
/* clang-format on */

#endif
