/* SPDX-License-Identifier: MIT */
/* Another user: refused by permissions, with a message; and refused access to another user's
   objects unless it passes the flag. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OTHER_USER = 65534 };
static const unsigned any_owner = QUOIT_ANY_OWNER;

static void become_other_user(void)
{
    CHECK_EQ(setgid(OTHER_USER), 0);
    CHECK_EQ(setuid(OTHER_USER), 0);
}

static void open_private(char **arguments)
{
    quoit_queue *queue;
    become_other_user();
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER, &queue), QUOIT_ERROR_PERMISSION);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER | any_owner, &queue),
                 QUOIT_ERROR_PERMISSION);
    CHECK_STATUS(quoit_unlink(arguments[0], 0), QUOIT_ERROR_PERMISSION);
}

static void open_readable(char **arguments)
{
    quoit_queue *queue;
    become_other_user();
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER | any_owner, &queue),
                 QUOIT_ERROR_PERMISSION);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER, &queue), QUOIT_ERROR_OTHER_USER);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_OBSERVER | any_owner, &queue), QUOIT_OK);
    CHECK_EQUAL(quoit_queue_size(queue), 1);
    struct quoit_queue_info info;
    CHECK_STATUS(quoit_queue_inspect(queue, &info), QUOIT_OK);
    CHECK_NE(info.producer_pid, 0);
    quoit_queue_close(queue);
}

static void open_public(char **arguments)
{
    quoit_queue *queue;
    uint64_t value = 0;
    become_other_user();
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER, &queue), QUOIT_ERROR_OTHER_USER);
    CHECK_STATUS(quoit_unlink(arguments[0], 0), QUOIT_ERROR_OTHER_USER);
    CHECK_STATUS(quoit_queue_open(arguments[0], QUOIT_CONSUMER | any_owner, &queue), QUOIT_OK);
    CHECK_STATUS(quoit_queue_pop(queue, &value, sizeof value, NULL, QUOIT_NOW), QUOIT_OK);
    CHECK_EQUAL(value, 42);
    quoit_queue_close(queue);
}

static void other_users(void)
{
    static const struct {
        unsigned permissions;
        const char *role;
    } cases[] = {{0600, "open_private"}, {0644, "open_readable"}, {0666, "open_public"}};
    if (geteuid() != 0)
        test_skip("only root can become another user");
    for (int i = 0; TEST_LOOP_TEXT(test_shared_schemes[i], 0, test_shared_schemes[i]); i++)
        for (int k = 0; k < 3; k++) {
            struct quoit_queue_options options = {
                .item_bytes = 8, .capacity = 5, .permissions = cases[k].permissions};
            const char *name = test_name(test_shared_schemes[i]);
            const char *const arguments[] = {name, NULL};
            quoit_queue *queue;
            uint64_t value = 42;
            CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
            CHECK_STATUS(quoit_queue_push(queue, &value, sizeof value, QUOIT_NOW), QUOIT_OK);
            CHECK_EQUAL(test_wait(test_spawn(cases[k].role, arguments)), 0);
            quoit_queue_close(queue);
            CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
        }
}

static void open_sem(char **arguments)
{
    quoit_sem *sem;
    become_other_user();
    CHECK_STATUS(quoit_sem_open(arguments[0], any_owner, &sem), QUOIT_ERROR_PERMISSION);
    CHECK_STATUS(quoit_sem_open(arguments[1], 0, &sem), QUOIT_ERROR_OTHER_USER);
    CHECK_STATUS(quoit_sem_unlink(arguments[1], 0), QUOIT_ERROR_OTHER_USER);
    CHECK_STATUS(quoit_sem_open(arguments[1], any_owner, &sem), QUOIT_OK);
    CHECK_STATUS(quoit_sem_wait(sem, 0), QUOIT_OK);
    quoit_sem_close(sem);
}

static void semaphores_of_others(void)
{
    static const char *const schemes[] = {"posix", "sysv"};
    const struct quoit_sem_options closed = {.value = 1};
    const struct quoit_sem_options open = {.value = 1, .permissions = 0666};
    /* Plain POSIX does not report the owner of a POSIX semaphore. */
    for (int i = test_plain_posix ? 1 : 0; i < (test_ipc_modes_are_reported() ? 2 : 1); i++) {
        const char *closed_name = test_name(schemes[i]), *open_name = test_name(schemes[i]);
        const char *const arguments[] = {closed_name, open_name, NULL};
        quoit_sem *sem;
        CHECK_STATUS(quoit_sem_create(closed_name, &closed, 0, &sem), QUOIT_OK);
        quoit_sem_close(sem);
        CHECK_STATUS(quoit_sem_create(open_name, &open, 0, &sem), QUOIT_OK);
        quoit_sem_close(sem);
        int code = test_wait(test_spawn("open_sem", arguments));
        CHECK_EQUAL(code, 0);
        CHECK_STATUS(quoit_sem_unlink(closed_name, 0), QUOIT_OK);
        CHECK_STATUS(quoit_sem_unlink(open_name, 0), QUOIT_OK);
    }
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {
        {"other_users", other_users}, {"semaphores_of_others", semaphores_of_others}, {NULL, NULL}};
    static const struct test_role roles[] = {{"open_private", open_private},
                                             {"open_readable", open_readable},
                                             {"open_public", open_public},
                                             {"open_sem", open_sem},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
