/* SPDX-License-Identifier: MIT */
/* Queues without a name: handed on over a socket, through fork and through exec; a crash shows; the
   memory cannot be truncated; and what is no such descriptor is refused. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOTH = QUOIT_PRODUCER | QUOIT_CONSUMER };

static const struct quoit_queue_options options = {
    .kind = QUOIT_MPMC, .item_bytes = 8, .capacity = 5};

static quoit_queue *make(unsigned flags, int *fd_out)
{
    quoit_queue *queue;
    quoit_status status = quoit_queue_create(NULL, &options, flags | QUOIT_TRANSIENT, &queue);
    if (status == QUOIT_ERROR_UNSUPPORTED)
        test_skip("this system has no queues without a name");
    CHECK_STATUS(status, QUOIT_OK);
    CHECK_STATUS(quoit_queue_fd(queue, fd_out), QUOIT_OK);
    return queue;
}

static void push(quoit_queue *queue, uint64_t item)
{
    CHECK_STATUS(quoit_queue_push(queue, &item, sizeof item, QUOIT_NOW), QUOIT_OK);
}

static void check_pop(quoit_queue *queue, uint64_t expected)
{
    uint64_t item;
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_FOREVER), QUOIT_OK);
    CHECK_EQ(item, expected);
}

static void in_one_process(void)
{
    int fd, same;
    int before = test_open_descriptors();
    quoit_queue *queue = make(QUOIT_PRODUCER, &fd), *consumer, *again, *observer;
    CHECK_STATUS(quoit_queue_fd(queue, &same), QUOIT_OK);
    CHECK_EQ(same, fd);
    CHECK_STATUS(quoit_queue_open_fd(fd, QUOIT_CONSUMER, &consumer), QUOIT_OK);
    CHECK_STATUS(quoit_queue_again(consumer, QUOIT_CONSUMER, &again), QUOIT_OK);
    CHECK_STATUS(quoit_queue_open_fd(fd, QUOIT_OBSERVER, &observer), QUOIT_OK);
    push(queue, 1);
    push(queue, 2);
    check_pop(consumer, 1);
    check_pop(again, 2);
    CHECK_STATUS(quoit_queue_unlink(queue), QUOIT_ERROR_REMOVED);
    CHECK_STATUS(quoit_queue_fd(consumer, &same), QUOIT_OK);
    CHECK_NE(same, fd); /* its own */
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_open_fd(same, QUOIT_PRODUCER, &queue), QUOIT_OK);
    push(queue, 3);
    check_pop(consumer, 3);
    quoit_queue_close(queue);
    quoit_queue_close(consumer);
    quoit_queue_close(again);
    quoit_queue_close(observer);
    CHECK_EQ(test_open_descriptors(), before);
}

static void cannot_be_truncated(void)
{
    int fd;
    quoit_queue *queue = make(BOTH, &fd);
    struct stat file;
    CHECK_EQ(fstat(fd, &file), 0);
    CHECK_EQ(file.st_mode & 0777, 0600);
    CHECK_EQ(ftruncate(fd, 0), -1);
    CHECK_EQ(errno, EPERM);
    CHECK_EQ(ftruncate(fd, 2 * file.st_size), -1);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    push(queue, 1);
    check_pop(queue, 1);
    quoit_queue_close(queue);
}

static void refused_options(void)
{
    struct quoit_queue_options readable = options;
    quoit_queue *queue;
    readable.permissions = 0644;
    CHECK_STATUS(quoit_queue_create(NULL, &options, BOTH, &queue), QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_join(NULL, &options, BOTH | QUOIT_TRANSIENT, &queue),
                 QUOIT_ERROR_INVALID);
    CHECK_STATUS(quoit_queue_create(NULL, &readable, BOTH | QUOIT_TRANSIENT, &queue),
                 QUOIT_ERROR_INVALID);
    CHECK(strstr(test_sentence(), "0600"));
}

static void refuse(int fd, quoit_status expected)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open_fd(fd, BOTH, &queue), expected);
    if (fd >= 0)
        CHECK_EQ(close(fd), 0);
}

/* A copy of the whole memory, in a memfd with these seals. */
static int copy_of(int fd, int seals)
{
    static char bytes[1 << 20];
    ssize_t count = pread(fd, bytes, sizeof bytes, 0);
    int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK_GT(count, 0);
    CHECK_EQ(pwrite(copy, bytes, (size_t)count, 0), count);
    CHECK_EQ(fcntl(copy, F_ADD_SEALS, seals), 0);
    return copy;
}

/* Sealed memory of hugetlb pages: a peer could pass it on. A process that touches it gets SIGBUS if
   no such page is free. */
static void refused_huge_pages(void)
{
    const unsigned huge = 4; /* MFD_HUGETLB, which a C library need not know */
    int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | huge);
    quoit_queue *queue;
    if (fd < 0) {
        (void)printf("  left out: this kernel has no hugetlb pages\n");
        return;
    }
    CHECK_EQ(ftruncate(fd, 1 << 21), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    CHECK_STATUS(quoit_queue_open_fd(fd, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK(strstr(test_sentence(), "huge pages"));
    refuse(fd, QUOIT_ERROR_NOT_QUOIT);
}

static void refused_descriptors(void)
{
    int fd, ends[2];
    quoit_queue *queue = make(BOTH, &fd), *other;
    refuse(-1, QUOIT_ERROR_INVALID);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(close(ends[1]), 0);
    refuse(ends[0], QUOIT_ERROR_NOT_QUOIT);
    refuse(open("/", O_RDONLY | O_DIRECTORY), QUOIT_ERROR_NOT_QUOIT);
    refuse(memfd_create("empty", MFD_CLOEXEC), QUOIT_ERROR_NOT_QUOIT);
    refuse(copy_of(fd, F_SEAL_GROW), QUOIT_ERROR_NOT_QUOIT); /* could be truncated */
    fd = copy_of(fd, F_SEAL_SHRINK);
    CHECK_STATUS(quoit_queue_open_fd(fd, QUOIT_OBSERVER, &other), QUOIT_OK);
    quoit_queue_close(other);
    CHECK_EQ(close(fd), 0);
    quoit_queue_close(queue);
}

/* A peer that holds a lease on the memory must not keep the call waiting until the kernel takes the
   lease away, which is after 45 seconds. */
static void refused_lease(void)
{
    int fd, copy, leased;
    char path[64];
    quoit_queue *queue = make(BOTH, &fd), *other;
    CHECK(signal(SIGIO, SIG_IGN) != SIG_ERR);
    copy = copy_of(fd, F_SEAL_SHRINK);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    leased = open(path, O_RDWR | O_CLOEXEC);
    CHECK_GE(leased, 0);
    CHECK_EQ(close(copy), 0);
    if (fcntl(leased, F_SETLEASE, F_WRLCK) != 0) {
        (void)printf("  left out: no lease on memory: %s\n", strerror(errno));
        CHECK_EQ(close(leased), 0);
        quoit_queue_close(queue);
        return;
    }
    CHECK_STATUS(quoit_queue_open_fd(leased, QUOIT_OBSERVER, &other), QUOIT_ERROR_BUSY);
    CHECK(strstr(test_sentence(), "lease"));
    CHECK_EQ(fcntl(leased, F_SETLEASE, F_UNLCK), 0);
    CHECK_STATUS(quoit_queue_open_fd(leased, BOTH, &other), QUOIT_OK);
    quoit_queue_close(other);
    CHECK_EQ(close(leased), 0);
    quoit_queue_close(queue);
}

/* The file of a queue with a name. */
static void files(void)
{
    static const char *const schemes[] = {"file", "posix", NULL};
    for (int i = 0; TEST_LOOP_TEXT(schemes[i], 0, schemes[i]); i++) {
        const char *name = test_name(schemes[i]);
        char path[200];
        quoit_queue *queue, *other;
        int fd;
        CHECK_STATUS(quoit_queue_create(name, &options, BOTH | QUOIT_TRANSIENT, &queue), QUOIT_OK);
        CHECK_STATUS(quoit_queue_fd(queue, &fd), QUOIT_ERROR_UNSUPPORTED);
        (void)snprintf(path, sizeof path, "%s%s", i == 0 ? "" : "/dev/shm/", test_path(name));
        fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK_GE(fd, 0);
        CHECK_STATUS(quoit_queue_open_fd(fd, BOTH, &other), QUOIT_OK);
        quoit_queue_close(queue);
        push(other, 1);
        check_pop(other, 1);
        quoit_queue_close(other); /* the last member: the name goes */
        CHECK_STATUS(quoit_queue_open(name, BOTH, &queue), QUOIT_ERROR_NOT_FOUND);
        refuse(fd, QUOIT_ERROR_NOT_QUOIT); /* a file without a name is not sealed */
    }
}

/* ---- Handing on ------------------------------------------------------------------------------ */

static void through_fork(void)
{
    int fd, status;
    quoit_queue *queue = make(QUOIT_CONSUMER, &fd), *child;
    int pid = fork();
    if (pid == 0) {
        bool good = quoit_queue_fd(queue, &status) == QUOIT_ERROR_FORKED &&
                    quoit_queue_open_fd(fd, QUOIT_PRODUCER, &child) == QUOIT_OK &&
                    quoit_queue_push(child, &(uint64_t){7}, 8, QUOIT_NOW) == QUOIT_OK;
        if (good)
            quoit_queue_close(child);
        quoit_queue_close(queue);
        _exit(good && fcntl(fd, F_GETFD) == -1 ? 0 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    check_pop(queue, 7);
    quoit_queue_close(queue);
}

/* arguments: the descriptor's number */
static void produce(char **arguments)
{
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_open_fd(atoi(arguments[0]), QUOIT_PRODUCER, &queue), QUOIT_OK);
    push(queue, 8);
    quoit_queue_close(queue);
    CHECK_EQ(close(atoi(arguments[0])), 0);
}

static void through_exec(void)
{
    int fd;
    char number[16];
    quoit_queue *queue = make(QUOIT_CONSUMER, &fd);
    const char *const arguments[] = {number, NULL};
    CHECK_EQ(fcntl(fd, F_SETFD, 0), 0);
    (void)snprintf(number, sizeof number, "%d", fd);
    CHECK_EQ(test_wait(test_spawn("produce", arguments)), 0);
    check_pop(queue, 8);
    quoit_queue_close(queue);
}

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int socket, int fd)
{
    union control control = {.room = {0}};
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK_EQ(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
    union control control = {.room = {0}};
    char byte;
    int fd;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    CHECK_EQ(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header && header->cmsg_type == SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* The maker is killed. Its descriptor lives on in this process, but not its locks: the consumer
   sees the crash. */
static void over_a_socket(void)
{
    int ends[2], fd, status;
    uint64_t item;
    quoit_queue *queue;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    int pid = fork();
    if (pid == 0) {
        queue = make(QUOIT_PRODUCER, &fd);
        push(queue, 9);
        send_fd(ends[0], fd);
        pause();
        _exit(0);
    }
    fd = receive_fd(ends[1]);
    CHECK_STATUS(quoit_queue_open_fd(fd, QUOIT_CONSUMER, &queue), QUOIT_OK);
    check_pop(queue, 9);
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, 100000000), QUOIT_EMPTY);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_STATUS(quoit_queue_pop(queue, &item, sizeof item, NULL, QUOIT_FOREVER), QUOIT_ABANDONED);
    quoit_queue_close(queue);
    /* Without a member it is as it was: only its memory's users keep it. */
    CHECK_STATUS(quoit_queue_open_fd(fd, BOTH, &queue), QUOIT_OK);
    push(queue, 10);
    check_pop(queue, 10);
    quoit_queue_close(queue);
    CHECK_EQ(close(fd) | close(ends[0]) | close(ends[1]), 0);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"in one process", in_one_process},
                                             {"cannot be truncated", cannot_be_truncated},
                                             {"refused options", refused_options},
                                             {"refused descriptors", refused_descriptors},
                                             {"refused huge pages", refused_huge_pages},
                                             {"refused lease", refused_lease},
                                             {"files", files},
                                             {"through fork", through_fork},
                                             {"through exec", through_exec},
                                             {"over a socket", over_a_socket},
                                             {NULL, NULL}};
    static const struct test_role roles[] = {{"produce", produce}, {NULL, NULL}};
    return test_main(argc, argv, parts, roles);
}
