// SPDX-License-Identifier: MIT
// Code with <quoit.hpp> that must not compile. REFUSED names a type. tests/CMakeLists.txt checks
// the message.
#include <quoit.hpp>

#include <string>

struct wide {
    alignas(8192) unsigned char bytes[8192];
};

#ifdef IN_PLACE // with every member
template class quoit::queue<REFUSED>;
template class quoit::detail::queue_calls<quoit::queue<REFUSED>,
                                          quoit::detail::item_types<REFUSED>>;
template class quoit::claimed<REFUSED>;
template class quoit::claimed_many<REFUSED>;
template class quoit::peeked<REFUSED>;
template class quoit::peeked_many<REFUSED>;
template class quoit::browse_range<quoit::queue<REFUSED>>;
void use(quoit::queue<REFUSED> &queue, quoit::region &region)
{
    queue.emplace(REFUSED());
    (void)queue.consume_all([](const REFUSED &) {});
    (void)region.at<REFUSED>(region.alloc<REFUSED>());
}
#else
quoit::queue<REFUSED> queue;
#endif
