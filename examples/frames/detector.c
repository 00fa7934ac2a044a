/* SPDX-License-Identifier: MIT */
/* Finds the bright spot in each frame, which it reads in the queue's own memory. If this program
   crashes, the next detector begins with the same frame. */
#include "frame.h"
#include "stop.h"

static void detect(const struct frame *frame)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (frame->pixels[y][x] > 200)
                printf("frame %d: a spot at %d, %d\n", (int)frame->number, x, y);
}

int main(void)
{
    struct frame_queue frames;
    const struct frame *frame;
    quoit_status status = frame_join("frames", 4, QUOIT_CONSUMER, &frames);
    if (status == QUOIT_OK)
        stop_on_signals(frames.queue);
    while (status == QUOIT_OK && !stopped) {
        status = frame_peek(frames, &frame, QUOIT_FOREVER);
        if (status == QUOIT_OK) {
            detect(frame);
            status = frame_release(frames); /* the camera may use this memory from here on */
        } else if (status == QUOIT_INTERRUPTED || status == QUOIT_ABANDONED) {
            status = QUOIT_OK; /* if the camera has crashed, another may start */
        }
    }
    if (status == QUOIT_FINISHED)
        status = quoit_queue_unlink(frames.queue);
    if (status != QUOIT_OK)
        fprintf(stderr, "detector: %s\n", quoit_describe(status));
    stop_ends();
    quoit_queue_close(frames.queue); /* after Ctrl-C, queued frames stay for the next detector */
    return status != QUOIT_OK;
}
