/* fetching.h -- Messages as librdkafka has given them, for `fetching.py`; and how they become
 * fields, for `tcl/layouts.tcl`.
 */

enum { MAX_FETCH = 4000 }; /* `fetching.py` has the same */

/* An error that was told while messages were fetched. */
typedef struct Told {
    struct Told *next;
    int32_t code;
    char reason[];
} Told;

typedef struct {
    int32_t count; /* of messages, and of errors and ends in the place of one */
    Told *told;
    unsigned char *have_headers; /* whether each has any: to ask librdkafka takes time */
    Message *messages[];
} Fetched;

/* What few threads do for a moment, one after the other. */
static char is_locked;

static void lock(void) {
    while (__atomic_test_and_set(&is_locked, __ATOMIC_ACQUIRE)) usleep(1);
}

static void unlock(void) { __atomic_clear(&is_locked, __ATOMIC_RELEASE); }

/* What is told of a partition comes out of its queue by the callback for errors of the
 * client.  That is confluent-kafka's, which ends the process where a call is not its own.
 * So it is ours, which passes on what comes elsewhere.  One thread at a time polls a
 * client. */
typedef void ErrorCallback(void *, int, const char *, void *);

typedef struct Fetcher {
    struct Fetcher *next;
    void *client, *queue;
    int is_fetching;
    Told *told, **last; /* meanwhile; where the next one goes */
} Fetcher;

static ErrorCallback *confluent_kafka;
static Fetcher *fetchers;

static void on_error(void *client, int code, const char *reason, void *opaque) {
    lock();
    Fetcher *fetcher = fetchers;
    while (fetcher && fetcher->client != client) fetcher = fetcher->next;
    unlock();
    if (!fetcher || !fetcher->is_fetching) {
        confluent_kafka(client, code, reason, opaque);
        return;
    }
    size_t size = strlen(reason) + 1;
    Told *told = malloc(sizeof *told + size);
    if (!told) return;
    *told = (Told){NULL, code};
    memcpy(told->reason, reason, size);
    *fetcher->last = told;
    fetcher->last = &told->next;
}

static void discard_told(Told *told) {
    for (Told *next; told; told = next) {
        next = told->next;
        free(told);
    }
}

/* What fetches for a client, out of a queue, until `kafkatcl_forget`; NULL if that cannot be.
 * `callback` is that for errors of the client, and becomes ours. */
EXPORT Fetcher *kafkatcl_fetcher(void *client, void *queue, ErrorCallback **callback) {
    Fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (!fetcher) return NULL;
    confluent_kafka = *callback;
    *callback = on_error;
    fetcher->client = client;
    fetcher->queue = queue;
    fetcher->last = &fetcher->told;
    lock();
    fetcher->next = fetchers;
    fetchers = fetcher;
    unlock();
    return fetcher;
}

EXPORT void kafkatcl_forget(Fetcher *fetcher) {
    lock();
    Fetcher **at = &fetchers;
    while (*at != fetcher) at = &(*at)->next;
    *at = fetcher->next;
    unlock();
    discard_told(fetcher->told);
    free(fetcher);
}

/* The messages that are there; NULL if there are none.  `partitions` are the queues of those
 * that are to lead to the queue `target`.  Any may have been cut off, the first `news` of them most
 * likely, of which nothing has come yet; the others are seen to when nothing comes. */
EXPORT Fetched *kafkatcl_fetch(
    Fetcher *fetcher, void *target, void *const *partitions, int news, int count, int most) {
    Message *found[MAX_FETCH];
    int seen = kafka.queue_length(fetcher->queue) ? news : count;
    for (int i = 0; i < seen; i++) kafka.queue_forward(partitions[i], target);
    if (!kafka.queue_length(fetcher->queue)) return NULL;
    fetcher->is_fetching = 1;
    ptrdiff_t got = kafka.consume_batch_queue(fetcher->queue, 0, found, (size_t)(most < MAX_FETCH ? most : MAX_FETCH));
    fetcher->is_fetching = 0;
    if (got <= 0 && !fetcher->told) return NULL;
    size_t size = got > 0 ? (size_t)got : 0;
    Fetched *fetched = malloc(sizeof *fetched + size * (sizeof *found + 1));
    if (!fetched) abort(); /* they would be lost */
    *fetched = (Fetched){(int32_t)size, fetcher->told, (unsigned char *)&fetched->messages[size]};
    fetcher->told = NULL;
    fetcher->last = &fetcher->told;
    for (size_t i = 0; i < size; i++) {
        void *headers;
        fetched->messages[i] = found[i];
        fetched->have_headers[i] = !found[i]->err && !kafka.message_headers(found[i], &headers);
    }
    return fetched;
}

/* How many messages of one partition there are in a row; 0 if the first is an error. */
EXPORT int kafkatcl_row(const Fetched *fetched, int start) {
    Message *const *all = fetched->messages, *first = all[start];
    int end = start;
    while (end < fetched->count && !all[end]->err && all[end]->rkt == first->rkt && all[end]->partition == first->partition)
        end++;
    return end - start;
}

/* Before their client is closed. */
EXPORT void kafkatcl_drop(Fetched *fetched) {
    for (int32_t i = 0; i < fetched->count; i++) kafka.message_destroy(fetched->messages[i]);
    discard_told(fetched->told);
    free(fetched);
}

/* The bytes of payloads, keys and headers of some of the messages. */
EXPORT int64_t kafkatcl_nbytes(const Fetched *fetched, int start, int count) {
    int64_t total = 0;
    for (int i = start; i < start + count; i++) {
        const char *name;
        const void *value;
        size_t size;
        void *headers;
        total += (int64_t)(fetched->messages[i]->len + fetched->messages[i]->key_len);
        if (!fetched->have_headers[i] || kafka.message_headers(fetched->messages[i], &headers)) continue;
        for (size_t at = 0; !kafka.header_get_all(headers, at, &name, &value, &size); at++)
            total += (int64_t)(strlen(name) + size);
    }
    return total;
}

/* What a message has of the fields that not every message has: the bits of `present` in
 * `engine/layouts.py`, which has a layout for each sum below `HAS_NULLS`. */
enum { HAS_KEY = 1, HAS_HEADERS = 2, HAS_NULLS = 4, IS_TOMBSTONE = 8, IS_APPENDED = 16 };
enum { REQUIRED = 3, OPTIONAL = 7, MAX_FIELDS = REQUIRED + 1 + OPTIONAL };
static const char *const layouts[] = {"plain", "keyed", "headed", "keyed_headed"};

typedef struct {
    int present;
    int64_t timestamp;
    Tcl_Obj *headers, *nulls;
} Row;

/* Look at a message; 0 if the name of a header is unusual. */
static int read_row(const Fetched *fetched, int place, Row *row) {
    const Message *message = fetched->messages[place];
    int type;
    void *headers;
    const char *name;
    const void *value;
    size_t size;
    row->timestamp = kafka.message_timestamp(message, &type);
    row->present = (message->key ? HAS_KEY : 0) | (message->payload ? 0 : IS_TOMBSTONE);
    if (type == APPEND_TIME) row->present |= IS_APPENDED;
    if (!fetched->have_headers[place] || kafka.message_headers(message, &headers)) return 1;
    for (size_t at = 0; !kafka.header_get_all(headers, at, &name, &value, &size); at++) {
        if (!is_ascii(name, strlen(name))) return 0;
        if (!row->headers) row->headers = tcl.NewListObj(0, NULL);
        row->present |= HAS_HEADERS | (value ? 0 : HAS_NULLS);
        tcl.ListObjAppendElement(NULL, row->headers, tcl.NewStringObj(name, -1));
        tcl.ListObjAppendElement(NULL, row->headers, tcl.NewByteArrayObj(value, (Tcl_Size)(value ? size : 0)));
        if (value) continue;
        if (!row->nulls) row->nulls = tcl.NewListObj(0, NULL);
        tcl.ListObjAppendElement(NULL, row->nulls, tcl.NewWideIntObj((int64_t)at));
    }
    return 1;
}

/* The fields of a message in its layout; behind the last of them. */
static Tcl_Obj **lay_out(const Message *message, const Row *row, int is_mixed, Tcl_Obj **to) {
    static const char append[] = "append";
    int present = row->present;
    *to++ = tcl.NewByteArrayObj(message->payload, (Tcl_Size)message->len);
    *to++ = tcl.NewWideIntObj(message->offset);
    *to++ = tcl.NewWideIntObj(row->timestamp);
    if (is_mixed) *to++ = tcl.NewWideIntObj(present);
    if (is_mixed || present & HAS_KEY) *to++ = tcl.NewByteArrayObj(message->key, (Tcl_Size)message->key_len);
    if (is_mixed || present & HAS_HEADERS) *to++ = row->headers ? row->headers : tcl.NewListObj(0, NULL);
    if (!is_mixed) return to;
    *to++ = row->nulls ? row->nulls : tcl.NewListObj(0, NULL);
    *to++ = tcl.NewWideIntObj(present & IS_TOMBSTONE ? 1 : 0);
    *to++ = tcl.NewStringObj(append, present & IS_APPENDED ? -1 : 0);
    *to++ = tcl.NewWideIntObj(0); /* leader_epoch and delivery_count are not asked for */
    *to++ = tcl.NewWideIntObj(0);
    return to;
}

/* How many fields that are. */
static Tcl_Size width_of(int present, int is_mixed) {
    return is_mixed ? MAX_FIELDS : REQUIRED + !!(present & HAS_KEY) + !!(present & HAS_HEADERS);
}

#include "packed.h"

/* What Python has made for the interpreter that has called it, until that takes it. */
typedef struct Pending {
    struct Pending *next;
    int64_t number;
    Tcl_Obj *words[2]; /* the name of a layout, and fields */
} Pending;

static Pending *pending;
static int64_t numbers;

/* A list of the fields of some messages; NULL where there is no memory. */
static Tcl_Obj *listed(const Fetched *fetched, int start, const Row rows[], int count, int is_mixed) {
    Tcl_Obj **fields = malloc((size_t)count * MAX_FIELDS * sizeof *fields), **to = fields;
    if (!fields) return NULL;
    for (int i = 0; i < count; i++) to = lay_out(fetched->messages[start + i], &rows[i], is_mixed, to);
    Tcl_Obj *list = tcl.NewListObj((Tcl_Size)(to - fields), fields);
    free(fields);
    return list;
}

/* Lay some messages out for the command `kafkatcl::bridge::fetched` in this thread: the
 * number it takes, 0 if something in them is unusual.  `packs`: whether they may be packed. */
EXPORT int64_t kafkatcl_lay_out(const Fetched *fetched, int start, int count, int packs) {
    Row *rows = calloc((size_t)count, sizeof *rows);
    Pending *made = malloc(sizeof *made);
    Tcl_Obj *fields = NULL;
    int64_t number = 0;
    int good = rows && made, is_mixed = 0;
    for (int i = 0; good && i < count; i++) {
        good = read_row(fetched, start + i, &rows[i]);
        is_mixed |= rows[i].present != rows[0].present || rows[i].present >= HAS_NULLS;
    }
    if (good && packs) fields = packed(fetched, start, rows, count, is_mixed);
    if (good && !fields) fields = listed(fetched, start, rows, count, is_mixed);
    if (fields) {
        made->words[0] = tcl.NewStringObj(is_mixed ? "mixed" : layouts[rows[0].present], -1);
        made->words[1] = fields;
        lock();
        number = made->number = ++numbers;
        made->next = pending;
        pending = made;
        unlock();
    } else {
        for (int i = 0; rows && i < count; i++) {
            if (rows[i].headers) drop(rows[i].headers);
            if (rows[i].nulls) drop(rows[i].nulls);
        }
        free(made);
    }
    free(rows);
    return number;
}

/* fetched number: the layout and the fields that `kafkatcl_lay_out` has made, a list or
 * packed. */
static int fetched_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    int64_t number;
    (void)data;
    if (objc != 2 || tcl.GetWideIntFromObj(interp, objv[1], &number)) return TCL_ERROR;
    lock();
    Pending **at = &pending;
    while (*at && (*at)->number != number) at = &(*at)->next;
    Pending *made = *at;
    if (made) *at = made->next;
    unlock();
    if (made) tcl.SetObjResult(interp, tcl.NewListObj(2, made->words));
    free(made);
    return TCL_OK;
}

/* Make the command `fetched` of an interpreter, by its full name. */
EXPORT void kafkatcl_fetched(Tcl_Interp *interp, const char *name) {
    tcl.CreateObjCommand(interp, name, fetched_command, NULL, NULL);
}
