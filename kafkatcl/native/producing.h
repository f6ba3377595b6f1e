/* producing.h -- produce, produce_batch, produce_messages. */

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
static int send(Front *front, void *rkt, const Outgoing *message) {
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
    void *error = code ? NULL : kafka.produceva(front->client, row, (size_t)(FIXED + headers));
    if (error) {
        code = kafka.error_code(error);
        kafka.error_destroy(error);
    }
    while (headers-- > 0) discard(&values[headers]);
    return code;
}

/* -- produce partition payload ?key? ?-headers list? -------------------------------------- */

static int produce(Front *front, int objc, Tcl_Obj *const objv[]) {
    Outgoing message = {0};
    int has_headers = objc > 5 && is(objv[objc - 2], "-headers"), queued = 0;
    int words = objc - 2 * has_headers;
    if (words < 4 || words > 5 || !partition_of(objv[2], &message.partition)) return 0;
    if (has_headers && !read_headers(objv[objc - 1], &message)) return 0;
    if (!bytes_of(objv[3], &message.payload)) return 0;
    if (words == 4 || bytes_of(objv[4], &message.key)) {
        void *rkt = enter(front);
        if (rkt) {
            queued = !(has_headers ? send(front, rkt, &message)
                                   : kafka.produce(rkt, message.partition, COPY, message.payload.at,
                                         message.payload.size, message.key.at, message.key.size, NULL));
            leave(front);
        }
    }
    discard_message(&message);
    return queued;
}

/* -- many messages ------------------------------------------------------------------------ */

/* Note the codes (0: queued) of the first messages of a call, where one was refused: the
 * procedure takes them, see `NativeTopic.taken_codes`, and goes on behind them. */
static void note_codes(Front *front, int *codes, Tcl_Size count) {
    free(front->codes);
    front->codes = codes;
    front->count = codes ? (int)count : 0;
}

/* produce_batch partition {{payload ?key?} ...} */
static int produce_batch(Front *front, int objc, Tcl_Obj *const objv[]) {
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
    void *rkt = filled == count ? enter(front) : NULL;
    if (rkt) {
        queued = kafka.produce_batch(rkt, partition, COPY, messages, (int)count) == count;
        leave(front);
        if (!queued) {
            int *codes = malloc((size_t)count * sizeof *codes);
            for (Tcl_Size i = 0; codes && i < count; i++) codes[i] = messages[i].err;
            note_codes(front, codes, count);
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
static int produce_messages(Front *front, int objc, Tcl_Obj *const objv[]) {
    Tcl_Size count, filled = 0, tried = 0;
    Tcl_Obj **rows;
    int32_t partition;
    int code = 0, has_partition = objc == 5 && is(objv[3], "-partition") && partition_of(objv[4], &partition);
    if (!has_partition && objc != 3) return 0;
    if (!elements_of(objv[2], &count, &rows) || count < 1 || count > MOST) return 0;
    Outgoing *messages = calloc((size_t)count, sizeof *messages);
    while (messages && filled < count && read_message(rows[filled], has_partition ? &partition : NULL, &messages[filled]))
        filled++;
    void *rkt = filled == count ? enter(front) : NULL;
    if (rkt) {
        while (tried < count && !code) code = send(front, rkt, &messages[tried++]);
        leave(front);
        if (code) {
            int *codes = calloc((size_t)tried, sizeof *codes);
            if (codes) codes[tried - 1] = code;
            note_codes(front, codes, tried);
        }
    }
    for (Tcl_Size i = 0; messages && i < count; i++) discard_message(&messages[i]);
    free(messages);
    return rkt && !code;
}
