/* fake_kafka.c -- fastpaths.c in a tclsh, with a librdkafka that only says what it is asked
 * for: for a Tcl that no Python here has.
 *
 *   load FILE Fake; fake COMMAND PROCEDURE; reader COMMAND PROCEDURE ID WORDS
 */
#include "fastpaths.c"
#include <stdio.h>

enum { REFUSED = 99 /* the partition of messages that are refused */ };

static void say(const char *what, int partition, const void *payload, size_t size, const void *key, size_t key_size) {
    printf("%s %d <%.*s>", what, partition, (int)size, (const char *)payload);
    printf(key ? " <%.*s>" : " none", (int)key_size, (const char *)key);
}

static int fake_produce(
    void *rkt, int32_t partition, int flags, const void *payload, size_t size, const void *key, size_t key_size,
    void *opaque) {
    (void)rkt, (void)flags, (void)opaque;
    if (partition == REFUSED) return -1;
    say("produce", partition, payload, size, key, key_size);
    puts("");
    return 0;
}

static int fake_produce_batch(void *rkt, int32_t partition, int flags, Message *messages, int count) {
    (void)rkt, (void)flags;
    for (int i = 0; i < count; i++) {
        say("batch", partition, messages[i].payload, messages[i].len, messages[i].key, messages[i].key_len);
        messages[i].err = partition == REFUSED ? QUEUE_FULL : 0;
    }
    puts("");
    return partition == REFUSED ? 0 : count;
}

static void *fake_produceva(void *client, const Typed *row, size_t count) {
    (void)client;
    say("va", row[2].of.partition, row[3].of.bytes.at, row[3].of.bytes.size, row[4].of.bytes.at, row[4].of.bytes.size);
    printf(" %lld", (long long)row[5].of.timestamp);
    for (size_t i = FIXED; i < count; i++) {
        printf(" %s=%.*s", row[i].of.header.name, (int)row[i].of.header.size, (const char *)row[i].of.header.value);
    }
    puts("");
    return row[2].of.partition == REFUSED ? (void *)row : NULL;
}

static int fake_error_code(const void *error) {
    (void)error;
    return QUEUE_FULL;
}

static void fake_error_destroy(void *error) { (void)error; }

/* -- reading ------------------------------------------------------------------------------ */

enum { MESSAGES = 22, USUAL = 3 };

static void fake_forward(void *from, void *to) { (void)from, (void)to; }

static size_t fake_queue_length(void *queue) { return queue ? MESSAGES : 0; }

/* The messages that a queue always has: the second has a key, the third is a tombstone with
 * headers, the second of which is null.  Nine plain ones follow, and ten of which every
 * second has a key, and one is a tombstone. */
static ptrdiff_t fake_consume(void *queue, int timeout, Message **messages, size_t most) {
    static Message all[MESSAGES];
    (void)queue, (void)timeout;
    for (int i = 0; i < MESSAGES && i < (int)most; i++) {
        all[i] = (Message){.partition = 7, .offset = 10 + i};
        if (i != 2 && i != 13) all[i].payload = "payload", all[i].len = 7;
        if (i == 1 || (i > 11 && i % 2)) all[i].key = "k\0", all[i].key_len = 2;
        messages[i] = &all[i];
    }
    return (int)most < MESSAGES ? (int)most : MESSAGES;
}

static void fake_destroy(Message *message) {
    if (message->offset < 10 + USUAL) printf("destroy %lld\n", (long long)message->offset);
}

static int64_t fake_timestamp(const Message *message, int *type) {
    *type = message->offset == 12 ? APPEND_TIME : 1;
    return 1000 + message->offset;
}

static int fake_headers(const Message *message, void **headers) {
    *headers = NULL;
    return message->offset == 12 ? 0 : -1;
}

static int fake_header(const void *headers, size_t at, const char **name, const void **value, size_t *size) {
    (void)headers;
    *name = at ? "null" : "name";
    *value = at ? NULL : "value";
    *size = at ? 0 : 5;
    return at < 2 ? 0 : -1;
}

/* lay_out first count ?most?: fetch, and return the number by which `fetched` takes some of
 * it.  With `most` so many are fetched, and may be packed. */
static int lay_out_some(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    ErrorCallback *callback = NULL;
    (void)data;
    if (objc < 3) return TCL_ERROR;
    int most = objc > 3 ? (int)number_in(objv[3]) : USUAL;
    Fetcher *fetcher = kafkatcl_fetcher(interp, interp, &callback);
    Fetched *fetched = kafkatcl_fetch(fetcher, interp, NULL, 0, 0, most);
    int64_t number = kafkatcl_lay_out(fetched, (int)number_in(objv[1]), (int)number_in(objv[2]), objc > 3);
    printf("%d, %d of a partition, %lld bytes\n", fetched->count, kafkatcl_row(fetched, 0),
        (long long)kafkatcl_nbytes(fetched, 0, fetched->count));
    kafkatcl_drop(fetched);
    kafkatcl_forget(fetcher);
    tcl.SetObjResult(interp, tcl.NewWideIntObj(number));
    return TCL_OK;
}

/* reader command procedure id words */
static int reader(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    (void)data;
    if (objc != 5) return TCL_ERROR;
    int made = kafkatcl_reader(
        interp, "", text_of(objv[1]), text_of(objv[2]), text_of(objv[3]), (int)number_in(objv[4]));
    tcl.SetObjResult(interp, tcl.NewWideIntObj(made));
    return TCL_OK;
}

/* -- producing ---------------------------------------------------------------------------- */

static Front *made;

/* Say the codes of what was tried. */
static int codes(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    const int *found;
    (void)data, (void)interp, (void)objc, (void)objv;
    int count = kafkatcl_codes(made, &found);
    for (int i = 0; i < count; i++) printf("%d ", found[i]);
    puts("tried");
    return TCL_OK;
}

static int fake(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    static const unsigned char mark = 1;
    (void)data;
    if (objc != 3) return TCL_ERROR;
    made = kafkatcl_topic(interp, "", text_of(objv[1]), text_of(objv[2]), &mark);
    if (!made) return TCL_ERROR;
    kafkatcl_open(made, interp, interp);
    return TCL_OK;
}

EXPORT int Fake_Init(Tcl_Interp *interp) {
    static void *const table[] = {
        fake_forward, fake_queue_length, fake_consume, fake_destroy, fake_timestamp, fake_headers, fake_header, fake_produce, fake_produce_batch, fake_produceva, fake_error_code, fake_error_destroy};
    setvbuf(stdout, NULL, _IONBF, 0);
    const char *why = kafkatcl_load(interp, table);
    if (why) puts(why);
    if (why) return TCL_ERROR;
    tcl.NRCreateCommand(interp, "::fake", fake, fake, NULL, NULL);
    tcl.NRCreateCommand(interp, "::codes", codes, codes, NULL, NULL);
    tcl.CreateObjCommand(interp, "::lay_out", lay_out_some, NULL, NULL);
    tcl.CreateObjCommand(interp, "::reader", reader, NULL, NULL);
    kafkatcl_fetched(interp, "::fetched");
    return TCL_OK;
}
