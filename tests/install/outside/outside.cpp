// SPDX-License-Identifier: MIT
/*
 * outside_cpp NAME: like outside.c, in C++, with the C++ header if it is installed.
 */
#if __has_include(<quoit.hpp>)
#include <quoit.hpp>
#endif
#include <quoit/typed.h>

#include <cstdio>

struct point {
    double x, y;
};
QUOIT_DEFINE_QUEUE(point, point);

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    quoit_queue_options options = point_options(2);
    quoit_queue *queue = nullptr;
    point_queue points{nullptr};
    quoit_status status = quoit_queue_create(argv[1], &options, QUOIT_PRODUCER | QUOIT_CONSUMER,
                                             &queue);
    if (status == QUOIT_OK)
        status = point_from(queue, &points);
    if (status != QUOIT_OK) {
        std::fprintf(stderr, "outside_cpp: %s\n", quoit_describe(status));
        return 1;
    }
    point sent{1.0, 2.0}, got{};
    bool good = point_push(points, &sent, QUOIT_NOW) == QUOIT_OK &&
                point_pop(points, &got, QUOIT_NOW) == QUOIT_OK && got.x == sent.x &&
                got.y == sent.y;
    good = quoit_queue_unlink(queue) == QUOIT_OK && good;
    quoit_queue_close(queue);
    std::puts(good ? "outside: good" : "outside: what came out is not what went in");
    return good ? 0 : 1;
}
