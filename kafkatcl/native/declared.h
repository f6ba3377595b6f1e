/* declared.h -- Tcl and librdkafka, as far as they are used: what their own headers would
 * declare, and how the functions are found when the file is loaded.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* What Python and this file must agree on; `native/library.py` has the same number. */
#ifndef INTERFACE
#define INTERFACE 3
#endif
#define EXPORT __attribute__((visibility("default")))

/* -- Tcl: https://www.tcl-lang.org/man/tcl8.6/TclLib/contents.htm ------------------------ */

#ifdef TCL9
typedef ptrdiff_t Tcl_Size;
typedef size_t Tcl_Room;
#define BYTES_OF void *, /* Tcl_GetBytesFromObj has an interpreter in front */
#define BYTES_FROM NULL,
enum { MAJOR = 9, FIRST_MINOR = 0, STUBS_MAGIC = (int)0xFCA3BACB + (int)sizeof(void *) };
#define SLOT(in8, in9) in9
#else
typedef int Tcl_Size;
typedef unsigned Tcl_Room;
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

/* A type of objects: Tcl_ObjType. */
struct ObjectType {
    const char *name;
    void (*free_inside)(Tcl_Obj *), (*copy_inside)(Tcl_Obj *, Tcl_Obj *), (*write_string)(Tcl_Obj *);
    int (*set_inside)(Tcl_Interp *, Tcl_Obj *);
    void *more[16]; /* in Tcl 9, all NULL: a type as in Tcl 8 */
};

typedef int Tcl_ObjCmdProc(void *, Tcl_Interp *, int, Tcl_Obj *const[]);
typedef int Tcl_NRPostProc(void *[], Tcl_Interp *, int);
typedef void Tcl_DeleteProc(void *);
typedef void Tcl_InterpDeleteProc(void *, Tcl_Interp *);

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

enum { TCL_OK, TCL_ERROR, TCL_RETURN, TCL_BREAK, TCL_CONTINUE };
enum { TCL_GLOBAL_ONLY = 1, TCL_LEAVE_ERR_MSG = 0x200, TCL_TRACE_DELETE = 0x4000, TCL_EVAL_GLOBAL = 0x20000 };
enum { TCL_CANCEL_UNWIND = 0x100000 };
enum { TCL_LINK_WIDE_INT = 5 };

/* The functions that are used: result, name, arguments, and the slot in each Tcl. */
#define TCL_FUNCTIONS(F) \
    F(void, GetVersion, (int *, int *, int *, int *), 279, 279) \
    F(void *, Alloc, (Tcl_Room), 3, 3) \
    F(char *, GetStringFromObj, (Tcl_Obj *, Tcl_Size *), 41, 651) \
    F(unsigned char *, GetBytes, (BYTES_OF Tcl_Obj *, Tcl_Size *), 33, 650) \
    F(Tcl_Obj *, NewByteArrayObj, (const void *, Tcl_Size), 50, 50) \
    F(Tcl_Obj *, NewStringObj, (const char *, Tcl_Size), 56, 56) \
    F(int, ListObjGetElements, (Tcl_Interp *, Tcl_Obj *, Tcl_Size *, Tcl_Obj ***), 45, 661) \
    F(void, FreeObj, (Tcl_Obj *), 30, 30) \
    F(int, GetCommandInfo, (Tcl_Interp *, const char *, Tcl_CmdInfo *), 159, 159) \
    F(void, SetObjResult, (Tcl_Interp *, Tcl_Obj *), 235, 235) \
    F(Tcl_Obj *, GetObjResult, (Tcl_Interp *), 166, 166) \
    F(void, ResetResult, (Tcl_Interp *), 217, 217) \
    F(void *, SaveInterpState, (Tcl_Interp *, int), 535, 535) \
    F(int, RestoreInterpState, (Tcl_Interp *, void *), 536, 536) \
    F(int, GetErrorLine, (Tcl_Interp *), 605, 605) \
    F(void, AppendObjToErrorInfo, (Tcl_Interp *, Tcl_Obj *), 574, 574) \
    F(Tcl_Obj *, NewListObj, (Tcl_Size, Tcl_Obj *const[]), 53, 53) \
    F(int, ListObjAppendElement, (Tcl_Interp *, Tcl_Obj *, Tcl_Obj *), 44, 44) \
    F(Tcl_Obj *, NewWideIntObj, (int64_t), 488, 488) \
    F(int, GetWideIntFromObj, (Tcl_Interp *, Tcl_Obj *, int64_t *), 487, 487) \
    F(Tcl_Obj *, ObjSetVar2, (Tcl_Interp *, Tcl_Obj *, Tcl_Obj *, Tcl_Obj *, int), 196, 196) \
    F(int, UnsetVar2, (Tcl_Interp *, const char *, const char *, int), 254, 254) \
    F(Tcl_Obj *, GetVar2Ex, (Tcl_Interp *, const char *, const char *, int), 306, 306) \
    F(Tcl_Obj *, SetVar2Ex, (Tcl_Interp *, const char *, const char *, Tcl_Obj *, int), 317, 317) \
    F(void *, GetAssocData, (Tcl_Interp *, const char *, Tcl_InterpDeleteProc **), 150, 150) \
    F(void, SetAssocData, (Tcl_Interp *, const char *, Tcl_InterpDeleteProc *, void *), 223, 223) \
    F(void *, CreateObjCommand, (Tcl_Interp *, const char *, Tcl_ObjCmdProc *, void *, Tcl_DeleteProc *), 96, 96) \
    F(int, Canceled, (Tcl_Interp *, int), 581, 581) \
    F(int, LinkVar, (Tcl_Interp *, const char *, void *, int), 187, 187) \
    F(void, UnlinkVar, (Tcl_Interp *, const char *), 251, 251) \
    F(void, Preserve, (void *), 201, 201) \
    F(void, Release, (void *), 216, 216) \
    F(int, EvalObjv, (Tcl_Interp *, Tcl_Size, Tcl_Obj *const[], int), 292, 292) \
    F(int, NREvalObj, (Tcl_Interp *, Tcl_Obj *, int), 584, 584) \
    F(void, NRAddCallback, (Tcl_Interp *, Tcl_NRPostProc *, void *, void *, void *, void *), 587, 587) \
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

enum { APPEND_TIME = 2 };

#define KAFKA_FUNCTIONS(F) \
    F(void, queue_forward, (void *, void *)) \
    F(size_t, queue_length, (void *)) \
    F(ptrdiff_t, consume_batch_queue, (void *, int, Message **, size_t)) \
    F(void, message_destroy, (Message *)) \
    F(int64_t, message_timestamp, (const Message *, int *)) \
    F(int, message_headers, (const Message *, void **)) \
    F(int, header_get_all, (const void *, size_t, const char **, const void **, size_t *)) \
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

static Tcl_Obj *hold(Tcl_Obj *object) {
    object->refCount++;
    return object;
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
