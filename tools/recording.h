/* SPDX-License-Identifier: MIT */
/* The description of a queue in an MCAP file: `quoit record` writes it, replay and --info read
   it. */
#ifndef QUOIT_TOOLS_RECORDING_H
#define QUOIT_TOOLS_RECORDING_H

#include "mcap.h"

#include <quoit/inspect.h>

/* Names of metadata records. Each has the keys channel, topic, messages and missed. */
#define RECORDING_MISSED "quoit.missed" /* written when a queue has missed more */
#define RECORDING_END    "quoit.end"    /* and the key end: how the queue's recording ended */
/* Values of the key end. */
#define RECORDING_FINISHED "finished" /* the stream had ended */
#define RECORDING_STOPPED  "stopped"  /* the recorder was stopped before that */

enum recording_mode { RECORDING_CONSUMER, RECORDING_SUBSCRIBER, RECORDING_OBSERVER };
const char *recording_mode_name(enum recording_mode mode);
const char *recording_kind_name(uint32_t kind);

/* Writes the channel record of a queue; sequence: that of its first message. */
enum mcap_status recording_write_channel(struct mcap_writer *writer, const char *name,
                                         const char *encoding, enum recording_mode mode,
                                         const struct quoit_queue_info *info, uint64_t sequence,
                                         uint16_t *channel_out);
/* end: NULL for RECORDING_MISSED. */
enum mcap_status recording_write_counts(struct mcap_writer *writer, uint16_t channel,
                                        const char *name, uint64_t messages, uint64_t missed,
                                        const char *end);

enum { RECORDING_TOPIC_ROOM = QUOIT_PATH_MAX + 16 }; /* a scheme, a path and a 0 */

/* A channel of a file that is read. */
struct recording_channel {
    uint16_t id;
    bool is_quoit; /* the options describe a queue; otherwise another program wrote the channel */
    struct quoit_queue_options options;
    char mode[16];
    uint64_t messages, bytes, first, last; /* log times; that replay and --info have read */
    uint64_t missed;
    char end[16];
    void *user;   /* of the reader of the file */
    char topic[]; /* a file can have many channels, so it takes only the bytes that it needs */
};

enum { RECORDING_CHANNELS_MOST = 65536 };
struct recording_channels {
    struct recording_channel **by_id; /* RECORDING_CHANNELS_MOST; NULL: not in the file so far */
    uint16_t *order;                  /* their ids, in the order of the file */
    size_t count;
};
bool recording_begin(struct recording_channels *channels); /* false: out of memory */
void recording_free(struct recording_channels *channels);

/*
 * Takes a channel record. Returns the channel in channel_out, and in is_new_out whether this is the
 * first record of its id. MCAP_DAMAGED: `problem` describes it.
 */
enum mcap_status recording_take_channel(struct recording_channels *channels,
                                        struct mcap_reader *reader,
                                        const struct mcap_record *record,
                                        struct recording_channel **channel_out, bool *is_new_out);
/* Takes a message: counts it in its channel. */
enum mcap_status recording_take_message(struct recording_channels *channels,
                                        struct mcap_reader *reader,
                                        const struct mcap_record *record,
                                        struct mcap_message *message_out,
                                        struct recording_channel **channel_out);
/* Takes a metadata record. channel_out: the channel whose end it notes, or NULL. */
enum mcap_status recording_take_metadata(struct recording_channels *channels,
                                         struct mcap_reader *reader,
                                         const struct mcap_record *record,
                                         struct recording_channel **channel_out);

/* From now on Ctrl-C and a request to terminate do not end the process, but
   recording_is_stopped returns true. A second one ends it. */
void recording_catch_stop(void);
bool recording_is_stopped(void);

/* `quoit record --info FILE` (record_info.c). Returns an exit code. */
int recording_info(const char *path);

#endif
