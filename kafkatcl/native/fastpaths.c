/* fastpaths.c -- Commands of topics in C: what is usual, and nothing else.
 *
 * A command made here stands in front of the procedure that it would be without this
 * file.  What is usual it does itself; for anything else, and for every error, it has
 * that procedure run with the same words, so that there is one place for texts, error
 * codes and all that is rare.  Therefore nothing here waits, writes, or raises an error.
 *
 * tkinter runs Tcl without Python's lock, so these commands run without it, too: nothing
 * here touches Python.  What Python may change meanwhile, from another thread, is guarded
 * by `enter` and `leave`.
 *
 * Neither Tcl's headers nor librdkafka's are included, and nothing is linked with either.
 * Tcl's functions come from the table of stubs that each interpreter has, those of
 * librdkafka from addresses that Python gives.  So one file serves every Python, and
 * every librdkafka of the versions that `native/library.py` names.  It is compiled twice:
 * for Tcl 8.6, and with -DTCL9 for Tcl 9, where sizes have another type.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What Python and this file must agree on; `native/library.py` has the same number. */
#ifndef INTERFACE
#define INTERFACE 1
#endif
#define EXPORT __attribute__((visibility("default")))

/* -- Tcl: https://www.tcl-lang.org/man/tcl8.6/TclLib/contents.htm ------------------------ */

#ifdef TCL9
typedef ptrdiff_t Tcl_Size;
#define BYTES_OF void *, /* Tcl_GetBytesFromObj has an interpreter in front */
#define BYTES_FROM NULL,
enum { MAJOR = 9, FIRST_MINOR = 0, STUBS_MAGIC = (int)0xFCA3BACB + (int)sizeof(void *) };
#define SLOT(in8, in9) in9
#else
typedef int Tcl_Size;
#define BYTES_OF /* Tcl_GetByteArrayFromObj */
#define BYTES_FROM
enum { MAJOR = 8, FIRST_MINOR = 6, STUBS_MAGIC = (int)0xFCA3BACF };
#define SLOT(in8, in9) in8
#endif

/* How every interpreter begins, so that extensions find the stubs. */
typedef struct {
    void *result, *free_result;
    int error_line;
    const struct Stubs *stubs;
} Tcl_Interp;

typedef struct Stubs {
    int magic;
    const struct Stubs *const *hooks; /* the second of them has functions that Tcl itself uses */
    void (*slots[])(void);
} Stubs;

typedef struct Tcl_Obj {
    Tcl_Size refCount;
    char *bytes; /* NULL: there is no string yet */
    Tcl_Size length;
    const void *typePtr;
    void *internal[2];
} Tcl_Obj;

typedef int Tcl_ObjCmdProc(void *, Tcl_Interp *, int, Tcl_Obj *const[]);
typedef void Tcl_DeleteProc(void *);

typedef void Tcl_TraceProc(void *, Tcl_Interp *, const char *, const char *, int);

typedef struct {
    int isNativeObjectProc;
    Tcl_ObjCmdProc *objProc;
    void *objClientData;
    void *proc, *clientData;
    Tcl_DeleteProc *deleteProc;
    void *deleteData, *namespacePtr;
    void *objProc2, *objClientData2; /* in Tcl 9 */
} Tcl_CmdInfo;

enum { TCL_OK, TCL_ERROR };
enum { TCL_TRACE_DELETE = 0x4000 };

/* The functions that are used: result, name, arguments, and the slot in each Tcl. */
#define TCL_FUNCTIONS(F) \
    F(void, GetVersion, (int *, int *, int *, int *), 279, 279) \
    F(char *, GetStringFromObj, (Tcl_Obj *, Tcl_Size *), 41, 651) \
    F(unsigned char *, GetBytes, (BYTES_OF Tcl_Obj *, Tcl_Size *), 33, 650) \
    F(Tcl_Obj *, NewByteArrayObj, (const void *, Tcl_Size), 50, 50) \
    F(Tcl_Obj *, NewStringObj, (const char *, Tcl_Size), 56, 56) \
    F(int, ListObjGetElements, (Tcl_Interp *, Tcl_Obj *, Tcl_Size *, Tcl_Obj ***), 45, 661) \
    F(void, FreeObj, (Tcl_Obj *), 30, 30) \
    F(int, GetCommandInfo, (Tcl_Interp *, const char *, Tcl_CmdInfo *), 159, 159) \
    F(void, SetObjResult, (Tcl_Interp *, Tcl_Obj *), 235, 235) \
    F(Tcl_Interp *, GetChild, (Tcl_Interp *, const char *), 172, 172) /* GetSlave in 8.6 */ \
    F(int, TraceCommand, (Tcl_Interp *, const char *, int, Tcl_TraceProc *, void *), 426, 426) \
    F(void *, NRCreateCommand, \
      (Tcl_Interp *, const char *, Tcl_ObjCmdProc *, Tcl_ObjCmdProc *, void *, Tcl_DeleteProc *), 583, 583) \
    F(int, NRCallObjProc, (Tcl_Interp *, Tcl_ObjCmdProc *, void *, Tcl_Size, Tcl_Obj *const[]), 588, 588)

/* What Tcl's own command of a procedure does, given the procedure: among Tcl's own stubs,
 * https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclInt.decls#L952 */
typedef int ProcedureProc(void *, Tcl_Interp *, Tcl_Size, Tcl_Obj *const[]);
enum { OWN_STUBS = 1, NR_INTERP_PROC = 238 };

/* -- librdkafka: https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka.h --- */

typedef struct { /* rd_kafka_message_t */
    int err;
    void *rkt;
    int32_t partition;
    const void *payload;
    size_t len;
    const void *key;
    size_t key_len;
    int64_t offset;
    void *opaque;
} Message;

typedef struct { /* rd_kafka_vu_t */
    int vtype;
    union {
        void *pointer;
        int number;
        int32_t partition;
        int64_t timestamp;
        struct {
            const void *at;
            size_t size;
        } bytes;
        struct {
            const char *name;
            const void *value;
            ptrdiff_t size;
        } header;
        char room[64];
    } of;
} Typed;

enum { RKT = 2, PARTITION, VALUE, KEY, OPAQUE, MSGFLAGS, TIMESTAMP, HEADER };
enum { COPY = 2, UNASSIGNED = -1, QUEUE_FULL = -184 };

#define KAFKA_FUNCTIONS(F) \
    F(int, produce, (void *, int32_t, int, const void *, size_t, const void *, size_t, void *)) \
    F(int, produce_batch, (void *, int32_t, int, Message *, int)) \
    F(void *, produceva, (void *, const Typed *, size_t)) \
    F(int, error_code, (const void *)) \
    F(void, error_destroy, (void *))

/* -- what is found when the file is loaded ------------------------------------------------ */

#define MEMBER(result, name, arguments, ...) result(*name) arguments;
#define FROM_SLOT(result, name, arguments, in8, in9) \
    tcl.name = (result(*) arguments)stubs->slots[SLOT(in8, in9)];
#define NAME(result, name, arguments) "rd_kafka_" #name " "

static struct { TCL_FUNCTIONS(MEMBER) } tcl;
static struct { KAFKA_FUNCTIONS(MEMBER) } kafka;
static const Stubs *stubs;
static ProcedureProc *run_procedure;
static const void *byte_array; /* the type of objects that are bytes */

EXPORT const int kafkatcl_interface = INTERFACE;
/* Of the functions whose addresses `kafkatcl_load` wants, each with a blank behind it. */
EXPORT const char kafkatcl_names[] = KAFKA_FUNCTIONS(NAME);

static void drop(Tcl_Obj *object) {
    if (object->refCount-- <= 1) tcl.FreeObj(object);
}

/* Whether Tcl's functions are what they should be. */
static int works(void) {
    static const char text[] = "a\303\277";
    Tcl_Size size = 0;
    Tcl_Obj *string = tcl.NewStringObj(text, -1), *bytes = tcl.NewByteArrayObj("\0\377", 2), **words;
    string->refCount++;
    bytes->refCount++;
    byte_array = bytes->typePtr;
    unsigned char *at = tcl.GetBytes(BYTES_FROM bytes, &size);
    int good = byte_array && !bytes->bytes && size == 2 && at[0] == 0 && at[1] == 0xFF;
    good = good && !strcmp(tcl.GetStringFromObj(string, &size), text) && size == 3;
    good = good && !tcl.ListObjGetElements(NULL, string, &size, &words) && size == 1;
    drop(string);
    drop(bytes);
    return good;
}

/* Whether none of several functions is missing. */
static int are_there(const void *functions, size_t size) {
    for (size_t i = 0; i < size / sizeof(void *); i++)
        if (!((void *const *)functions)[i]) return 0;
    return 1;
}

/* Find the functions, by the stubs of an interpreter and by addresses in the order of
 * `kafkatcl_names`; NULL, or why that cannot be.  Once for a process. */
EXPORT const char *kafkatcl_load(Tcl_Interp *interp, void *const *addresses) {
    int major, minor;
    if (!interp->stubs || interp->stubs->magic != STUBS_MAGIC) return "this Tcl has no stubs that are known";
    if (stubs) return interp->stubs == stubs ? NULL : "there are two Tcl libraries in this process";
    const Stubs *own = interp->stubs->hooks ? interp->stubs->hooks[OWN_STUBS] : NULL;
    if (!own || own->magic != STUBS_MAGIC) return "this Tcl has no stubs that are known";
    run_procedure = (ProcedureProc *)own->slots[NR_INTERP_PROC];
    stubs = interp->stubs;
    TCL_FUNCTIONS(FROM_SLOT)
    stubs = NULL;
    if (!are_there(&tcl, sizeof tcl) || !are_there(addresses, sizeof kafka)) return "a function is missing";
    tcl.GetVersion(&major, &minor, NULL, NULL);
    if (major != MAJOR || minor < FIRST_MINOR) return "it was made for another Tcl";
    memcpy(&kafka, addresses, sizeof kafka);
    if (!works()) return "its self-test fails";
    stubs = interp->stubs;
    return NULL;
}

/* -- a command in front of a procedure ---------------------------------------------------- */

typedef struct Topic {
    int references;           /* the command has one, the procedure another, Python the third */
    void *procedure;          /* Tcl's; NULL once it is deleted */
    const volatile unsigned char *mark; /* 0 in a process that was forked from this one */
    pid_t process;            /* where there is no mark: the one that Kafka's threads are in */
    void *client;
    void *topic;              /* NULL: the procedure does everything */
    int busy;                 /* calls that use `topic` now */
    int *codes;               /* of messages that the procedure is to go on behind, see `refused` */
    int count;
} Topic;

static void release(Topic *topic) {
    if (__atomic_sub_fetch(&topic->references, 1, __ATOMIC_ACQ_REL)) return;
    free(topic->codes);
    free(topic);
}

/* Begin to use the topic of the client: NULL if that cannot be.  `leave` ends it. */
static void *enter(Topic *topic) {
    if (topic->mark ? !*topic->mark : getpid() != topic->process) return NULL;
    __atomic_add_fetch(&topic->busy, 1, __ATOMIC_SEQ_CST);
    void *found = __atomic_load_n(&topic->topic, __ATOMIC_SEQ_CST);
    if (!found) __atomic_sub_fetch(&topic->busy, 1, __ATOMIC_SEQ_CST);
    return found;
}

static void leave(Topic *topic) { __atomic_sub_fetch(&topic->busy, 1, __ATOMIC_SEQ_CST); }

/* -- what Tcl has, as bytes --------------------------------------------------------------- */

typedef struct {
    const void *at;
    size_t size;
    void *own; /* to be freed */
} Bytes;

static void discard(Bytes *bytes) {
    free(bytes->own);
    bytes->own = NULL;
}

static int is_ascii(const char *text, size_t size) {
    uint64_t word, all = 0;
    size_t i = 0;
    for (; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    for (; i < size; i++) all |= (unsigned char)text[i];
    return !(all & 0x8080808080808080u);
}

/* The bytes of a text whose characters are U+0000 to U+00FF; 0 if it has others.  Tcl
 * writes U+0000 as two bytes. */
static int narrow(const unsigned char *text, size_t size, Bytes *bytes) {
    unsigned char *to = bytes->own = malloc(size);
    if (!to) return 0;
    bytes->at = to;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x80) {
            *to++ = text[i];
        } else if ((text[i] == 0xC0 || text[i] == 0xC2 || text[i] == 0xC3) && i + 1 < size &&
                   (text[i + 1] & 0xC0) == 0x80) {
            *to++ = (unsigned char)(text[i] << 6 | (text[i + 1] & 0x3F));
            i++;
        } else {
            discard(bytes);
            return 0;
        }
    }
    bytes->size = (size_t)(to - (unsigned char *)bytes->at);
    return 1;
}

/* The bytes that an object stands for, one for each character; 0 if it has characters
 * above U+00FF.  Its type stays what it is.  `discard` ends the use of the bytes. */
static int bytes_of(Tcl_Obj *object, Bytes *bytes) {
    Tcl_Size size = object->length;
    const char *text = object->bytes;
    bytes->own = NULL;
    if (!text && object->typePtr == byte_array) {
        bytes->at = tcl.GetBytes(BYTES_FROM object, &size);
        bytes->size = (size_t)size;
        return 1;
    }
    if (!text) text = tcl.GetStringFromObj(object, &size);
    bytes->at = text;
    bytes->size = (size_t)size;
    return is_ascii(text, (size_t)size) || narrow((const unsigned char *)text, (size_t)size, bytes);
}

static const char *text_of(Tcl_Obj *object) {
    return object->bytes ? object->bytes : tcl.GetStringFromObj(object, NULL);
}

static int is(Tcl_Obj *word, const char *text) { return !strcmp(text_of(word), text); }

/* A number from 0 to `most`, as it is mostly written; 0 if the word is none. */
static int number_of(Tcl_Obj *word, int64_t most, int64_t *number) {
    const char *at = text_of(word);
    int64_t found = 0;
    if (!*at || (*at == '0' && at[1])) return 0;
    for (; *at; at++) {
        if (*at < '0' || *at > '9' || found > (most - (*at - '0')) / 10) return 0;
        found = 10 * found + (*at - '0');
    }
    *number = found;
    return 1;
}

/* A partition, or -1 for the choice of the partitioner; 0 if the word is neither. */
static int partition_of(Tcl_Obj *word, int32_t *partition) {
    int64_t number = UNASSIGNED;
    if (!is(word, "-1") && !number_of(word, INT32_MAX, &number)) return 0;
    *partition = (int32_t)number;
    return 1;
}

/* The elements of a list; 0 if it is none.  Bytes are not made a list of: somebody may
 * have their address. */
static int elements_of(Tcl_Obj *list, Tcl_Size *count, Tcl_Obj ***elements) {
    if (!list->bytes && list->typePtr == byte_array) return 0;
    return tcl.ListObjGetElements(NULL, list, count, elements) == TCL_OK;
}

/* -- messages with all that they may have ------------------------------------------------- */

enum { MAX_HEADERS = 32, FIXED = 7 /* of what stands in front of them */ };
enum { MOST = 1 << 20 /* messages of a call */ };

typedef struct {
    int32_t partition;
    int64_t timestamp; /* in ms since 1970; 0: now */
    Bytes payload, key; /* key.at is NULL where there is none */
    Tcl_Obj **headers; /* name, value, ... */
    Tcl_Size words;    /* how many these are */
} Outgoing;

static void discard_message(Outgoing *message) {
    discard(&message->payload);
    discard(&message->key);
}

/* Whether headers are usual: their names ASCII, their values bytes, and not too many. */
static int read_headers(Tcl_Obj *list, Outgoing *message) {
    Bytes value;
    if (!elements_of(list, &message->words, &message->headers)) return 0;
    if (message->words % 2 || message->words > 2 * MAX_HEADERS) return 0;
    for (Tcl_Size i = 0; i < message->words; i += 2) {
        Tcl_Obj *name = message->headers[i];
        const char *text = text_of(name);
        if (!is_ascii(text, (size_t)name->length) || !bytes_of(message->headers[i + 1], &value)) return 0;
        discard(&value);
    }
    return 1;
}

/* Queue a message: 0, or the code of an error. */
static int send(Topic *topic, void *rkt, const Outgoing *message) {
    Bytes values[MAX_HEADERS];
    int headers = 0, code = 0;
    Typed row[FIXED + MAX_HEADERS] = {
        {RKT, {.pointer = rkt}},
        {MSGFLAGS, {.number = COPY}},
        {PARTITION, {.partition = message->partition}},
        {VALUE, {.bytes = {message->payload.at, message->payload.size}}},
        {KEY, {.bytes = {message->key.at, message->key.size}}},
        {TIMESTAMP, {.timestamp = message->timestamp}},
        {OPAQUE, {.pointer = NULL}},
    };
    for (; 2 * headers < message->words && !code; headers++) {
        Bytes *value = &values[headers];
        if (!bytes_of(message->headers[2 * headers + 1], value)) code = QUEUE_FULL; /* no memory */
        row[FIXED + headers].vtype = HEADER;
        row[FIXED + headers].of.header.name = text_of(message->headers[2 * headers]);
        row[FIXED + headers].of.header.value = value->at;
        row[FIXED + headers].of.header.size = (ptrdiff_t)value->size;
    }
    void *error = code ? NULL : kafka.produceva(topic->client, row, (size_t)(FIXED + headers));
    if (error) {
        code = kafka.error_code(error);
        kafka.error_destroy(error);
    }
    while (headers-- > 0) discard(&values[headers]);
    return code;
}

/* -- produce partition payload ?key? ?-headers list? -------------------------------------- */

static int produce(Topic *topic, int objc, Tcl_Obj *const objv[]) {
    Outgoing message = {0};
    int has_headers = objc > 5 && is(objv[objc - 2], "-headers"), queued = 0;
    int words = objc - 2 * has_headers;
    if (words < 4 || words > 5 || !partition_of(objv[2], &message.partition)) return 0;
    if (has_headers && !read_headers(objv[objc - 1], &message)) return 0;
    if (!bytes_of(objv[3], &message.payload)) return 0;
    if (words == 4 || bytes_of(objv[4], &message.key)) {
        void *rkt = enter(topic);
        if (rkt) {
            queued = !(has_headers ? send(topic, rkt, &message)
                                   : kafka.produce(rkt, message.partition, COPY, message.payload.at,
                                         message.payload.size, message.key.at, message.key.size, NULL));
            leave(topic);
        }
    }
    discard_message(&message);
    return queued;
}

/* -- many messages ------------------------------------------------------------------------ */

/* Note the codes (0: queued) of the first messages of a call, where one was refused: the
 * procedure takes them, see `NativeTopic.taken_codes`, and goes on behind them. */
static void note_codes(Topic *topic, int *codes, Tcl_Size count) {
    free(topic->codes);
    topic->codes = codes;
    topic->count = codes ? (int)count : 0;
}

/* produce_batch partition {{payload ?key?} ...} */
static int produce_batch(Topic *topic, int objc, Tcl_Obj *const objv[]) {
    Tcl_Size count, width, filled = 0;
    Tcl_Obj **rows, **row;
    int32_t partition;
    int queued = 0;
    if (objc != 4 || !partition_of(objv[2], &partition) || !elements_of(objv[3], &count, &rows)) return 0;
    if (count < 1 || count > MOST) return 0;
    Message *messages = calloc((size_t)count, sizeof *messages);
    Bytes *bytes = calloc(2 * (size_t)count, sizeof *bytes);
    for (; messages && bytes && filled < count; filled++) {
        Bytes *payload = &bytes[2 * filled], *key = payload + 1;
        if (!elements_of(rows[filled], &width, &row) || width < 1 || width > 2) break;
        if (!bytes_of(row[0], payload) || (width == 2 && !bytes_of(row[1], key))) break;
        messages[filled].payload = payload->at;
        messages[filled].len = payload->size;
        messages[filled].key = key->at;
        messages[filled].key_len = key->size;
    }
    void *rkt = filled == count ? enter(topic) : NULL;
    if (rkt) {
        queued = kafka.produce_batch(rkt, partition, COPY, messages, (int)count) == count;
        leave(topic);
        if (!queued) {
            int *codes = malloc((size_t)count * sizeof *codes);
            for (Tcl_Size i = 0; codes && i < count; i++) codes[i] = messages[i].err;
            note_codes(topic, codes, count);
        }
    }
    for (Tcl_Size i = 0; bytes && i < 2 * count; i++) discard(&bytes[i]);
    free(bytes);
    free(messages);
    return queued;
}

/* Read a message of names and values; 0 if something in it is unusual.  `partition` is that
 * of all messages; NULL for that which each one names. */
static int read_message(Tcl_Obj *row, const int32_t *partition, Outgoing *message) {
    Tcl_Size count;
    Tcl_Obj **words, *payload = NULL, *key = NULL;
    int64_t timestamp;
    message->partition = partition ? *partition : UNASSIGNED;
    if (!elements_of(row, &count, &words) || count % 2) return 0;
    for (Tcl_Size i = 0; i < count; i += 2) {
        const char *name = text_of(words[i]);
        Tcl_Obj *value = words[i + 1];
        if (!strcmp(name, "payload")) {
            payload = value;
        } else if (!strcmp(name, "key")) {
            key = value;
        } else if (!strcmp(name, "partition")) {
            if (!partition && !partition_of(value, &message->partition)) return 0;
        } else if (!strcmp(name, "timestamp")) {
            if (!number_of(value, INT64_MAX, &timestamp)) return 0;
            message->timestamp = timestamp;
        } else if (!strcmp(name, "headers")) {
            if (!read_headers(value, message)) return 0;
        } else if (strcmp(name, "offset") && strcmp(name, "topic") && strcmp(name, "leader_epoch") &&
                   strcmp(name, "timestamp_type") && strcmp(name, "delivery_count")) {
            return 0;
        }
    }
    return payload && bytes_of(payload, &message->payload) && (!key || bytes_of(key, &message->key));
}

/* produce_messages {{name value ...} ...} ?-partition n? */
static int produce_messages(Topic *topic, int objc, Tcl_Obj *const objv[]) {
    Tcl_Size count, filled = 0, tried = 0;
    Tcl_Obj **rows;
    int32_t partition;
    int code = 0, has_partition = objc == 5 && is(objv[3], "-partition") && partition_of(objv[4], &partition);
    if (!has_partition && objc != 3) return 0;
    if (!elements_of(objv[2], &count, &rows) || count < 1 || count > MOST) return 0;
    Outgoing *messages = calloc((size_t)count, sizeof *messages);
    while (messages && filled < count && read_message(rows[filled], has_partition ? &partition : NULL, &messages[filled]))
        filled++;
    void *rkt = filled == count ? enter(topic) : NULL;
    if (rkt) {
        while (tried < count && !code) code = send(topic, rkt, &messages[tried++]);
        leave(topic);
        if (code) {
            int *codes = calloc((size_t)tried, sizeof *codes);
            if (codes) codes[tried - 1] = code;
            note_codes(topic, codes, tried);
        }
    }
    for (Tcl_Size i = 0; messages && i < count; i++) discard_message(&messages[i]);
    free(messages);
    return rkt && !code;
}

/* -- the command -------------------------------------------------------------------------- */

static int topic_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Topic *topic = data;
    int done = 0;
    if (topic->codes) note_codes(topic, NULL, 0);
    if (objc > 2 && __atomic_load_n(&topic->topic, __ATOMIC_RELAXED)) {
        const char *subcommand = text_of(objv[1]);
        if (!strcmp(subcommand, "produce")) done = produce(topic, objc, objv);
        else if (!strcmp(subcommand, "produce_batch")) done = produce_batch(topic, objc, objv);
        else if (!strcmp(subcommand, "produce_messages")) done = produce_messages(topic, objc, objv);
    }
    if (done) return TCL_OK;
    if (topic->procedure) return run_procedure(topic->procedure, interp, objc, objv);
    tcl.SetObjResult(interp, tcl.NewStringObj("the procedure behind this command was deleted", -1));
    return TCL_ERROR;
}

/* The same where it is not called by Tcl's own machine, which could go on meanwhile. */
static int called(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    return tcl.NRCallObjProc(interp, topic_command, data, objc, objv);
}

static void deleted(void *data) { release(data); }

static void procedure_deleted(void *data, Tcl_Interp *interp, const char *old, const char *new, int flags) {
    (void)interp, (void)old, (void)new, (void)flags;
    ((Topic *)data)->procedure = NULL;
    release(data);
}

/* Make a command of a topic that produces in front of a procedure, both by their full
 * names, in the child interpreter of a path (empty: none); NULL if that cannot be.  `mark` is 0 in a process that was forked; without it the
 * number of the process is looked at.  Until `kafkatcl_open` the procedure does everything.
 * Ended by `kafkatcl_release`, before or behind the command. */
EXPORT Topic *kafkatcl_topic(
    Tcl_Interp *parent, const char *path, const char *name, const char *procedure, const unsigned char *mark) {
    Tcl_Interp *interp = *path ? tcl.GetChild(parent, path) : parent;
    Tcl_CmdInfo found;
    if (!interp || !tcl.GetCommandInfo(interp, procedure, &found)) return NULL;
    Topic *topic = calloc(1, sizeof *topic);
    if (!topic) return NULL;
    topic->procedure = found.objClientData;
    topic->references = 3;
    topic->mark = mark;
    topic->process = getpid();
    tcl.TraceCommand(interp, procedure, TCL_TRACE_DELETE, procedure_deleted, topic);
    tcl.NRCreateCommand(interp, name, called, topic_command, topic, deleted);
    return topic;
}

/* From now on what is usual goes to this topic of a client: an rd_kafka_t and an
 * rd_kafka_topic_t, which are there until `kafkatcl_close` has returned. */
EXPORT void kafkatcl_open(Topic *topic, void *client, void *rkt) {
    topic->client = client;
    __atomic_store_n(&topic->topic, rkt, __ATOMIC_SEQ_CST);
}

/* From any thread: the procedure does everything again.  Waits for a call that is under
 * way, so Python's lock is not to be held. */
EXPORT void kafkatcl_close(Topic *topic) {
    __atomic_store_n(&topic->topic, NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&topic->busy, __ATOMIC_SEQ_CST)) usleep(20);
}

/* The codes of the messages that were tried before the procedure was called, and how many
 * they are: 0 if it is to begin with the first one.  They hold until the next call. */
EXPORT int kafkatcl_codes(Topic *topic, const int **codes) {
    *codes = topic->codes;
    return topic->count;
}

EXPORT void kafkatcl_release(Topic *topic) { release(topic); }
