/* packed.h -- Messages for callbacks and batches, copied into one piece of memory.
 *
 * Their objects are made when they are used, for one message after the other: Tcl keeps
 * some 1200 free objects for each thread, and to make those of thousands of messages at
 * once takes as long as all else.  (`Cache` and `MoveObjs` in
 * https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclThreadAlloc.c)
 *
 * The piece is what an object of Tcl has inside.  Whoever takes that for a list gets one,
 * by way of its string; then it is a list from there on.
 */

/* What is looked at of a message: its payload, and its key behind that. */
typedef struct {
    int64_t offset, timestamp;
    size_t start, size, key_size;
    int present;
} Packed;

typedef struct {
    Tcl_Size references, count, width;
    int is_mixed;
    Packed messages[]; /* and behind them the bytes */
} Pack;

/* Messages are packed that are many, small and without headers. */
enum { MIN_PACKED = 8, MAX_PACKED_SIZE = 1024 };

static const struct ObjectType pack_type;

static Pack *pack_in(const Tcl_Obj *object) {
    return object->typePtr == &pack_type ? object->internal[0] : NULL;
}

/* The fields of one of the messages; behind the last of them. */
static Tcl_Obj **unpack(const Pack *pack, Tcl_Size place, Tcl_Obj **to) {
    const Packed *packed = &pack->messages[place];
    const char *bytes = (const char *)&pack->messages[pack->count] + packed->start;
    Message message = {.payload = bytes, .len = packed->size, .key = bytes + packed->size,
        .key_len = packed->key_size, .offset = packed->offset};
    Row row = {.present = packed->present, .timestamp = packed->timestamp};
    return lay_out(&message, &row, pack->is_mixed, to);
}

/* A list of the fields of the messages, from one on. */
static Tcl_Obj *unpacked(const Pack *pack, Tcl_Size first) {
    Tcl_Obj *fields[MAX_FIELDS], *list = tcl.NewListObj(0, NULL);
    for (; first < pack->count; first++) {
        Tcl_Obj **end = unpack(pack, first, fields);
        for (Tcl_Obj **field = fields; field < end; field++) tcl.ListObjAppendElement(NULL, list, *field);
    }
    return list;
}

/* How many fields there are, in a list or packed; -1 if it is neither. */
static Tcl_Size length_of(Tcl_Interp *interp, Tcl_Obj *fields) {
    Tcl_Size count;
    Tcl_Obj **elements;
    const Pack *pack = pack_in(fields);
    if (pack) return pack->count * pack->width;
    return tcl.ListObjGetElements(interp, fields, &count, &elements) ? -1 : count;
}

static void free_pack(Tcl_Obj *object) {
    Pack *pack = object->internal[0];
    if (--pack->references == 0) free(pack);
}

static void set_pack(Tcl_Obj *object, Pack *pack) {
    pack->references++;
    object->typePtr = &pack_type;
    object->internal[0] = pack;
}

static void copy_pack(Tcl_Obj *from, Tcl_Obj *to) { set_pack(to, from->internal[0]); }

static void write_pack(Tcl_Obj *object) {
    Tcl_Size size;
    Tcl_Obj *list = hold(unpacked(object->internal[0], 0));
    const char *text = tcl.GetStringFromObj(list, &size);
    object->bytes = memcpy(tcl.Alloc((Tcl_Room)size + 1), text, (size_t)size + 1);
    object->length = size;
    drop(list);
}

static const struct ObjectType pack_type = {
    .name = "kafkatcl messages", .free_inside = free_pack, .copy_inside = copy_pack, .write_string = write_pack};

/* An object with some messages inside; NULL where they are to be a list. */
static Tcl_Obj *packed(const Fetched *fetched, int start, const Row rows[], int count, int is_mixed) {
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        if (rows[i].headers) return NULL;
        size += fetched->messages[start + i]->len + fetched->messages[start + i]->key_len;
    }
    if (count <= MIN_PACKED || size > (size_t)count * MAX_PACKED_SIZE) return NULL;
    Pack *pack = malloc(sizeof *pack + (size_t)count * sizeof *pack->messages + size);
    if (!pack) return NULL;
    *pack = (Pack){.count = count, .width = width_of(rows[0].present, is_mixed), .is_mixed = is_mixed};
    char *bytes = (char *)&pack->messages[count];
    size = 0;
    for (int i = 0; i < count; i++) {
        const Message *message = fetched->messages[start + i];
        pack->messages[i] = (Packed){message->offset, rows[i].timestamp, size, message->len, message->key_len, rows[i].present};
        if (message->len) memcpy(bytes + size, message->payload, message->len);
        if (message->key_len) memcpy(bytes + size + message->len, message->key, message->key_len);
        size += message->len + message->key_len;
    }
    Tcl_Obj *object = tcl.NewWideIntObj(0);
    set_pack(object, pack);
    return object;
}

/* -- commands ----------------------------------------------------------------------------- */

/* length fields: how many there are. */
static int length_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Tcl_Size count = objc == 2 ? length_of(interp, objv[1]) : -1;
    (void)data;
    if (count < 0) return TCL_ERROR;
    tcl.SetObjResult(interp, tcl.NewWideIntObj(count));
    return TCL_OK;
}

/* first fields: the same, or a list of those of the first message. */
static int first_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    const Pack *pack = objc == 2 ? pack_in(objv[1]) : NULL;
    Tcl_Obj *fields[MAX_FIELDS];
    (void)data;
    if (objc != 2) return TCL_ERROR;
    tcl.SetObjResult(interp, pack ? tcl.NewListObj((Tcl_Size)(unpack(pack, 0, fields) - fields), fields) : objv[1]);
    return TCL_OK;
}
