/* values.h -- What Tcl has, as bytes, numbers and lists, without a change of its type. */

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
