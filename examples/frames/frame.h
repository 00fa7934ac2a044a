/* SPDX-License-Identifier: MIT */
/* Shared by the camera and the detector. */
#include <quoit/typed.h>

enum { HEIGHT = 480, WIDTH = 640 };

struct frame {
    uint64_t number;
    uint8_t pixels[HEIGHT][WIDTH];
};
QUOIT_DEFINE_QUEUE(frame, struct frame);
