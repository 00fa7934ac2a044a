// SPDX-License-Identifier: MIT
// What <quoit.hpp> must not compile: REFUSED names a type. tests/CMakeLists.txt checks the message.
#include <quoit.hpp>

#include <string>

struct wide {
    alignas(32) unsigned char bytes[32];
};

#ifdef IN_PLACE
void use(quoit::queue<REFUSED> &queue)
{
    (void)queue.front();
}
#else
quoit::queue<REFUSED> queue;
#endif
