/* SPDX-License-Identifier: MIT */
/* Counts acknowledgements: acks.h. */
#include "acks.h"

#include "link.h"

#include <string.h>
#include <time.h>

void acks_init(struct acks *acks)
{
    *acks = (struct acks){.wanted = UINT64_MAX};
    pthread_mutex_init(&acks->lock, NULL);
    pthread_cond_init(&acks->changed, NULL);
}

static void take_refusal(struct acks_state *state, const char *json, size_t bytes,
                         bool no_responders)
{
    uint64_t code = 0;
    if (state->refused)
        return; /* the first one is the reason of the others */
    state->refused = true;
    (void)link_number(json, bytes, "err_code", &code);
    state->has_reason = code != JSStreamWrongLastSequenceErr && code != JSStreamSequenceNotMatchErr;
    link_text(json, bytes, "description", state->reason, sizeof state->reason);
    if (no_responders)
        (void)snprintf(state->reason, sizeof state->reason,
                       "no stream takes the subject; was the stream deleted?");
}

static void take(struct acks *acks, uint64_t number, const char *json, size_t bytes,
                 bool no_responders)
{
    struct acks_state *state = &acks->state;
    const bool duplicate = link_has(json, bytes, "duplicate");
    uint64_t sequence;
    state->duplicates += duplicate;
    if (!link_number(json, bytes, "seq", &sequence) || sequence == 0)
        take_refusal(state, json, bytes, no_responders);
    else if (number != state->count || (!duplicate && sequence != acks->base + number + 1))
        state->refused = true; /* one is missing, or is not where it has to be */
    else if (!state->refused)
        state->count++;
}

/* Reads a number and steps behind it. sscanf would take as long as all the rest of on_reply. */
static bool read_number(const char **text, uint64_t *number_out)
{
    const char *begin = *text;
    for (*number_out = 0; **text >= '0' && **text <= '9'; ++*text)
        *number_out = *number_out * 10 + (uint64_t)(**text - '0');
    return *text != begin;
}

static void on_reply(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                     void *closure)
{
    struct acks *acks = closure;
    const char *subject = natsMsg_GetSubject(message);
    uint64_t session, number;
    (void)connection;
    (void)subscription;
    pthread_mutex_lock(&acks->lock);
    const size_t prefix = strlen(acks->inbox);
    const bool ours = strncmp(subject, acks->inbox, prefix) == 0;
    subject += ours ? prefix : 0;
    if (ours && read_number(&subject, &session) && *subject++ == '.' &&
        read_number(&subject, &number) && *subject == '\0' && session == acks->session)
        take(acks, number, natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message),
             natsMsg_IsNoResponders(message));
    /* A wake-up for each acknowledgement would cost more than the message. */
    if (acks->wanted != UINT64_MAX && (acks->state.count >= acks->wanted || acks->state.refused)) {
        acks->wanted = UINT64_MAX;
        pthread_cond_signal(&acks->changed);
    }
    pthread_mutex_unlock(&acks->lock);
    natsMsg_Destroy(message);
}

natsStatus acks_listen(struct acks *acks, natsConnection *connection)
{
    char subject[160];
    natsInbox *inbox = NULL;
    if (acks->subscription && natsSubscription_IsValid(acks->subscription))
        return NATS_OK;
    acks_close(acks);
    natsStatus status = natsInbox_Create(&inbox);
    if (status == NATS_OK) {
        pthread_mutex_lock(&acks->lock);
        (void)snprintf(acks->inbox, sizeof acks->inbox, "%.120s.", inbox);
        pthread_mutex_unlock(&acks->lock);
        (void)snprintf(subject, sizeof subject, "%s>", acks->inbox);
        status = natsConnection_Subscribe(&acks->subscription, connection, subject, on_reply, acks);
    }
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(acks->subscription, -1, -1);
    natsInbox_Destroy(inbox);
    return status;
}

void acks_close(struct acks *acks)
{
    natsSubscription_Destroy(acks->subscription);
    acks->subscription = NULL;
}

void acks_begin(struct acks *acks, uint64_t base)
{
    pthread_mutex_lock(&acks->lock);
    acks->session++;
    acks->base = base;
    acks->state = (struct acks_state){.duplicates = acks->state.duplicates};
    pthread_mutex_unlock(&acks->lock);
}

struct acks_state acks_look(struct acks *acks)
{
    pthread_mutex_lock(&acks->lock);
    const struct acks_state state = acks->state;
    pthread_mutex_unlock(&acks->lock);
    return state;
}

void acks_wait(struct acks *acks, uint64_t wanted, long nanoseconds)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += nanoseconds;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&acks->lock);
    if (acks->state.count < wanted && !acks->state.refused) {
        acks->wanted = wanted;
        (void)pthread_cond_timedwait(&acks->changed, &acks->lock, &until);
        acks->wanted = UINT64_MAX;
    }
    pthread_mutex_unlock(&acks->lock);
}
