/* SPDX-License-Identifier: MIT */
/* Writes messages to stdout, and takes them from the queue. */
#include "pop.h"

#include <string.h>

static bool write_text(struct pop *pop, const char *text, size_t count)
{
    if (pop->printable)
        return stream_write_printable(text, count) &&
               ((count > 0 && text[count - 1] == '\n') || stream_write("\n", 1));
    if (pop->raw || (count > 0 && text[count - 1] == '\n'))
        return stream_write(text, count);
    memcpy(pop->text, text, count);
    pop->text[count] = '\n';
    return stream_write(pop->text, count + 1);
}

/* Returns the end of the first `most` lines, and in lines_out how many there are. */
static size_t cut_lines(const char *text, size_t count, uint64_t most, uint64_t *lines_out)
{
    size_t end = 0;
    for (*lines_out = 0; *lines_out < most && end < count; ++*lines_out) {
        const char *newline = memchr(text + end, '\n', count - end);
        end = newline ? (size_t)(newline - text) + 1 : count;
    }
    return end;
}

/* Takes a block, or as many of its lines as --count still allows. The rest stays in the queue, and
   the mark names where it begins. */
static quoit_status take_block(struct pop *pop, const char *text, size_t count, bool *written_out)
{
    struct quoit_queue_info now;
    quoit_status status = quoit_queue_inspect(pop->queue, &now);
    if (status != QUOIT_OK)
        return status;
    const volatile struct stream_mark *mark = pop->mark; /* shared: read once, then bounded */
    uint64_t begin_at = mark->position == now.popped ? mark->offset : 0, lines = 0;
    size_t begin = begin_at < count ? (size_t)begin_at : 0;
    size_t end = begin + cut_lines(text + begin, count - begin,
                                   pop->counted ? pop->left : UINT64_MAX, &lines);
    *written_out = write_text(pop, text + begin, end - begin);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted ? lines : 0;
    if (end == count)
        return quoit_queue_release(pop->queue);
    pop->mark->offset = end;
    pop->mark->position = now.popped;
    return QUOIT_OK;
}

static quoit_status take_message(struct pop *pop, bool *written_out)
{
    const void *message;
    size_t bytes;
    quoit_status status = quoit_queue_peek(pop->queue, &message, &bytes, QUOIT_NOW);
    if (status != QUOIT_OK)
        return status;
    if (pop->mark && (pop->counted || pop->mark->offset > 0))
        return take_block(pop, message, bytes, written_out);
    *written_out = write_text(pop, message, bytes);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted;
    return quoit_queue_release(pop->queue);
}

/* Releases the first count messages or items, which are in the queue. */
static quoit_status release(struct pop *pop, uint64_t count)
{
    const void *message;
    quoit_status status = QUOIT_OK;
    for (; status == QUOIT_OK && count > 0; count--) {
        status = quoit_queue_peek(pop->queue, &message, NULL, QUOIT_NOW);
        if (status == QUOIT_OK)
            status = quoit_queue_release(pop->queue);
    }
    return status;
}

/* Takes one record, or with --raw all that are contiguous in memory. */
static quoit_status take_records(struct pop *pop, bool *written_out)
{
    const void *items;
    size_t count;
    quoit_status status = quoit_queue_peek_many(pop->queue, &items, &count, QUOIT_NOW);
    if (status != QUOIT_OK)
        return status;
    if (!pop->raw)
        count = 1;
    if (pop->counted && count > pop->left)
        count = (size_t)pop->left;
    *written_out = write_text(pop, items, count * (size_t)pop->info.item_bytes);
    if (!*written_out)
        return QUOIT_OK;
    pop->left -= pop->counted ? count : 0;
    return quoit_queue_release_many(pop->queue, count);
}

/* Copies queued messages one after another into text, as many as one write may join. Returns the
   number of bytes, and in count_out the number of messages. */
static size_t gather(struct pop *pop, uint64_t *count_out)
{
    struct quoit_browser ahead = {0};
    const uint64_t most = pop->counted ? pop->left : UINT64_MAX;
    size_t filled = 0;
    for (*count_out = 0; *count_out < most && filled < pop->joined; ++*count_out) {
        char *text = pop->text + filled;
        uint64_t bytes;
        if (quoit_queue_browse(pop->queue, &ahead, text, pop->info.item_bytes, &bytes) != QUOIT_OK)
            break;
        if (!pop->raw && (bytes == 0 || text[bytes - 1] != '\n'))
            text[bytes++] = '\n';
        if (*count_out > 0 && filled + bytes > pop->joined)
            break;
        filled += (size_t)bytes;
    }
    return filled;
}

quoit_status pop_take(struct pop *pop, bool *written_out)
{
    /* No other process takes items of an SPSC queue that this one has browsed. */
    if (pop->info.kind == QUOIT_SPSC && !pop->mark && (pop->info.messages || !pop->raw)) {
        uint64_t count;
        size_t bytes = gather(pop, &count);
        if (count > 1) {
            *written_out = stream_write(pop->text, bytes);
            pop->left -= pop->counted && *written_out ? count : 0;
            return *written_out ? release(pop, count) : QUOIT_OK;
        }
    }
    return pop->info.messages ? take_message(pop, written_out) : take_records(pop, written_out);
}
