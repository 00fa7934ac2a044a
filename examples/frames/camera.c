/* SPDX-License-Identifier: MIT */
/* Sends 100 frames, or fewer after Ctrl-C. Each frame is written in the queue's own memory, where
   the detector reads it: no frame is copied. */
#include "frame.h"
#include "stop.h"

#include <string.h>

enum { FRAME_TIME = 33 * 1000 * 1000 }; /* nanoseconds */

static void expose(struct frame *frame, uint64_t number)
{
    frame->number = number;
    memset(frame->pixels, 0, sizeof frame->pixels);
    frame->pixels[number][2 * number] = 255;
}

static quoit_status send_frame(struct frame_queue frames, uint64_t number)
{
    struct frame *frame;
    quoit_status status = frame_claim(frames, &frame, FRAME_TIME);
    if (status == QUOIT_FULL || status == QUOIT_ABANDONED) { /* the detector is slow, or has left */
        fprintf(stderr, "camera: frame %d is dropped: %s\n", (int)number, quoit_describe(status));
        return QUOIT_OK;
    }
    if (status != QUOIT_OK)
        return status;
    expose(frame, number);
    /* If the program crashes before this call, the detector does not get the frame. */
    return frame_commit(frames);
}

int main(void)
{
    struct frame_queue frames;
    quoit_status status = frame_join("frames", 4, QUOIT_PRODUCER, &frames);
    if (status == QUOIT_OK)
        stop_on_signals(NULL);
    for (uint64_t number = 1; number <= 100 && !stopped && status == QUOIT_OK; number++)
        status = send_frame(frames, number);
    if (status == QUOIT_OK)
        status = quoit_queue_finish(frames.queue);
    if (status != QUOIT_OK)
        fprintf(stderr, "camera: %s\n", quoit_describe(status));
    quoit_queue_close(frames.queue);
    return status != QUOIT_OK;
}
