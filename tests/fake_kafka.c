/* fake_kafka.c -- fastpaths.c in a tclsh, with a librdkafka that only says what it is asked
 * for: for a Tcl that no Python here has.
 *
 *   load FILE Fake; fake COMMAND PROCEDURE
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

static Topic *made;

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
        fake_produce, fake_produce_batch, fake_produceva, fake_error_code, fake_error_destroy};
    setvbuf(stdout, NULL, _IONBF, 0);
    const char *why = kafkatcl_load(interp, table);
    if (why) puts(why);
    if (why) return TCL_ERROR;
    tcl.NRCreateCommand(interp, "::fake", fake, fake, NULL, NULL);
    tcl.NRCreateCommand(interp, "::codes", codes, codes, NULL, NULL);
    return TCL_OK;
}
