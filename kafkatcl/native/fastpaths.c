/* fastpaths.c -- Commands of topics, queues and subscribers in C: what is usual, and
 * nothing else.
 *
 * A command made here stands in front of the procedure that it would be without this
 * file.  What is usual it does itself; for anything else, and for every error, it has
 * that procedure run with the same words, so that there is one place for texts, error
 * codes and all that is rare.  Therefore nothing here waits, writes, or makes up an error.
 *
 * tkinter runs Tcl without Python's lock, so these commands run without it, too: nothing
 * here touches Python.  What Python may change meanwhile, from another thread, is guarded
 * by `enter` and `leave`.
 *
 * Neither Tcl's headers nor librdkafka's are included, and nothing is linked with either.
 * Tcl's functions come from the table of stubs that each interpreter has, those of
 * librdkafka from addresses that Python gives.  So what is compiled serves every Python,
 * and every librdkafka of the versions that `native/library.py` names.  That is done twice:
 * for Tcl 8.6, and with -DTCL9 for Tcl 9, where sizes have another type.
 */
#include "declared.h"

/* -- a command in front of a procedure ---------------------------------------------------- */

typedef struct Front {
    int references;           /* the command has one, the procedure another, its user a third */
    void *procedure;          /* Tcl's; NULL once it is deleted */
    Tcl_ObjCmdProc *usual;    /* does what is usual: a code of Tcl, or PROCEDURE */
    /* of a topic that produces */
    const volatile unsigned char *mark; /* 0 in a process that was forked from this one */
    pid_t process;            /* where there is no mark: the one that Kafka's threads are in */
    void *client;
    void *topic;              /* NULL: the procedure does everything */
    int busy;                 /* calls that use `topic` now */
    int *codes;               /* of messages that the procedure is to go on behind, see `note_codes` */
    int count;
    /* of what reads */
    struct Front *next;       /* in the same interpreter */
    struct Realm *realm;
    Tcl_Obj *id;              /* the object id */
    int words;                /* in front of the array of `consume`; -1: it is given none, but a list */
    struct Stored *stored;
    int again;                /* see `again_command` */
} Front;

enum { PROCEDURE = -1 };

static void release(Front *front) {
    if (__atomic_sub_fetch(&front->references, 1, __ATOMIC_ACQ_REL)) return;
    if (front->id) drop(front->id);
    free(front->codes);
    free(front);
}

/* Begin to use the topic of the client: NULL if that cannot be.  `leave` ends it. */
static void *enter(Front *front) {
    if (front->mark ? !*front->mark : getpid() != front->process) return NULL;
    __atomic_add_fetch(&front->busy, 1, __ATOMIC_SEQ_CST);
    void *found = __atomic_load_n(&front->topic, __ATOMIC_SEQ_CST);
    if (!found) __atomic_sub_fetch(&front->busy, 1, __ATOMIC_SEQ_CST);
    return found;
}

static void leave(Front *front) { __atomic_sub_fetch(&front->busy, 1, __ATOMIC_SEQ_CST); }

#include "values.h"
#include "producing.h"
#include "fetching.h"
#include "reading.h"
#include "callbacks.h"

/* -- the command -------------------------------------------------------------------------- */

static int produce_usual(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Front *front = data;
    int done = 0;
    (void)interp;
    if (front->codes) note_codes(front, NULL, 0);
    if (objc > 2 && __atomic_load_n(&front->topic, __ATOMIC_RELAXED)) {
        const char *subcommand = text_of(objv[1]);
        if (!strcmp(subcommand, "produce")) done = produce(front, objc, objv);
        else if (!strcmp(subcommand, "produce_batch")) done = produce_batch(front, objc, objv);
        else if (!strcmp(subcommand, "produce_messages")) done = produce_messages(front, objc, objv);
    }
    return done ? TCL_OK : PROCEDURE;
}

static int front_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Front *front = data;
    int code = front->usual(front, interp, objc, objv);
    if (code != PROCEDURE) return code;
    if (front->procedure) return run_procedure(front->procedure, interp, objc, objv);
    tcl.SetObjResult(interp, tcl.NewStringObj("the procedure behind this command was deleted", -1));
    return TCL_ERROR;
}

/* The same where it is not called by Tcl's own machine, which could go on meanwhile. */
static int called(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    return tcl.NRCallObjProc(interp, front_command, data, objc, objv);
}

static void deleted(void *data) {
    Front *front = data;
    if (front->realm) {
        Front **at = &front->realm->fronts;
        while (*at != front) at = &(*at)->next;
        *at = front->next;
        front->realm = NULL;
    }
    for (Stored *stored; (stored = front->stored);) {
        front->stored = stored->next;
        discard_stored(stored);
    }
    release(front);
}

static void procedure_deleted(void *data, Tcl_Interp *interp, const char *old, const char *new, int flags) {
    (void)interp, (void)old, (void)new, (void)flags;
    ((Front *)data)->procedure = NULL;
    release(data);
}

/* Put a command in front of a procedure, both by their full names; NULL if that cannot be. */
static Front *put_in_front(Tcl_Interp *interp, const char *name, const char *procedure, Tcl_ObjCmdProc *usual) {
    Tcl_CmdInfo found;
    Front *front = interp && tcl.GetCommandInfo(interp, procedure, &found) ? calloc(1, sizeof *front) : NULL;
    if (!front) return NULL;
    front->procedure = found.objClientData;
    front->usual = usual;
    front->references = 2;
    tcl.TraceCommand(interp, procedure, TCL_TRACE_DELETE, procedure_deleted, front);
    tcl.NRCreateCommand(interp, name, called, front_command, front, deleted);
    return front;
}

static Tcl_Interp *at_path(Tcl_Interp *parent, const char *path) { return *path ? tcl.GetChild(parent, path) : parent; }

/* Make a command of a topic that produces in front of a procedure, both by their full
 * names, in the child interpreter of a path (empty: none); NULL if that cannot be.  `mark`
 * is 0 in a process that was forked; without it the number of the process is looked at.
 * Until `kafkatcl_open` the procedure does everything.  Ended by `kafkatcl_release`, before
 * or behind the command. */
EXPORT Front *kafkatcl_topic(
    Tcl_Interp *parent, const char *path, const char *name, const char *procedure, const unsigned char *mark) {
    Front *front = put_in_front(at_path(parent, path), name, procedure, produce_usual);
    if (!front) return NULL;
    front->references++;
    front->mark = mark;
    front->process = getpid();
    return front;
}

static void realm_deleted(void *data, Tcl_Interp *interp) {
    Realm *realm = data;
    (void)interp;
    for (Front *front = realm->fronts; front; front = front->next) front->realm = NULL;
    for (Run *run = realm->runs; run; run = run->next) run->realm = NULL;
    for (Shape *shape; (shape = realm->shapes);) {
        realm->shapes = shape->next;
        drop(shape->name);
        drop(shape->told);
        free(shape);
    }
    free(realm);
}

/* What belongs to an interpreter; it is made, and its commands, when it is asked for. */
static Realm *realm_of(Tcl_Interp *interp) {
    static const char name[] = "kafkatcl";
    Realm *realm = tcl.GetAssocData(interp, name, NULL);
    if (realm || !(realm = calloc(1, sizeof *realm))) return realm;
    tcl.SetAssocData(interp, name, realm_deleted, realm);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::keep", keep_command, realm, NULL);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::recall", recall_command, realm, NULL);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::again", again_command, realm, NULL);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::each", each_command, realm, NULL);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::length", length_command, NULL, NULL);
    tcl.CreateObjCommand(interp, "::kafkatcl::native::first", first_command, NULL, NULL);
    tcl.SetVar2Ex(interp, "::kafkatcl::native::loops", NULL, tcl.NewWideIntObj(1), TCL_GLOBAL_ONLY);
    return realm;
}

/* The same for what reads: the object of an id.  `words` is how many stand in front of the
 * array of `consume`, or -1 where it is given none.  Whether that can be. */
EXPORT int kafkatcl_reader(
    Tcl_Interp *parent, const char *path, const char *name, const char *procedure, const char *id, int words) {
    Tcl_Interp *interp = at_path(parent, path);
    Front *front = put_in_front(interp, name, procedure, read_usual);
    Realm *realm = front ? realm_of(interp) : NULL;
    if (!realm) return front != NULL; /* then the procedure does everything */
    front->id = hold(tcl.NewStringObj(id, -1));
    front->words = words;
    front->realm = realm;
    front->next = realm->fronts;
    realm->fronts = front;
    return 1;
}

/* From now on what is usual goes to this topic of a client: an rd_kafka_t and an
 * rd_kafka_topic_t, which are there until `kafkatcl_close` has returned. */
EXPORT void kafkatcl_open(Front *front, void *client, void *rkt) {
    front->client = client;
    __atomic_store_n(&front->topic, rkt, __ATOMIC_SEQ_CST);
}

/* From any thread: the procedure does everything again.  Waits for a call that is under
 * way, so Python's lock is not to be held. */
EXPORT void kafkatcl_close(Front *front) {
    __atomic_store_n(&front->topic, NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&front->busy, __ATOMIC_SEQ_CST)) usleep(20);
}

/* The codes of the messages that were tried before the procedure was called, and how many
 * they are: 0 if it is to begin with the first one.  They hold until the next call. */
EXPORT int kafkatcl_codes(Front *front, const int **codes) {
    *codes = front->codes;
    return front->count;
}

EXPORT void kafkatcl_release(Front *front) { release(front); }
