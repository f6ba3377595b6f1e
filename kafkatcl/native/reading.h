/* reading.h -- consume, consume_batch: messages that were read ahead.
 *
 * They belong to `tcl/ahead.tcl` and `tcl/batches.tcl`, which lend them to us by the command
 * `keep`.  Whenever these want to look at them, and when the last of them are used, they
 * get them back, and all goes on in Tcl.
 */

/* How an array is set to a message of a layout: the rows of `layouts::Shape`. */
typedef struct Shape {
    struct Shape *next;
    Tcl_Obj *name, *told;
    Tcl_Size count;
    struct {
        Tcl_Obj *name;
        int64_t place, bit;
    } rows[];
} Shape;

typedef struct Stored {
    struct Stored *next;
    int references;            /* the list that it is in has one, and who looks at it while scripts may run */
    Tcl_Obj *words;            /* of the reader, as "partition,timeout" */
    Tcl_Obj *list;             /* as in ahead.tcl, or batches.tcl */
    Tcl_Obj *topic, *partition, *fields; /* some of its elements */
    const Shape *shape;
    int64_t at, width, due, count; /* of `list`; a `count` of 0 is no batch */
} Stored;

/* A batch whose code is being run. */
typedef struct Run {
    struct Run *next;
    struct Realm *realm;       /* NULL once the interpreter is gone; that of `front` goes with its command */
    Front *front;
    Stored *stored;            /* begins with the batch, and is in no list meanwhile */
    Tcl_Obj *array, *code, *number; /* `number` is NULL until Tcl has the run back */
    int64_t left;              /* how many messages the code has not got to */
} Run;

/* Variables of `tcl/turns.tcl`, while callbacks are run here. */
typedef struct {
    int64_t next, at, left, changes, stop, until;
} Turn;

/* What is the same for all commands of an interpreter. */
typedef struct Realm {
    Front *fronts;
    Shape *shapes;
    Run *runs;
    Turn turn;
    int depth; /* how many loops over callbacks are under way, each within one of the last */
} Realm;

enum { AT, TOPIC, LAYOUT = 3, WIDTH, FIELDS, DUE, COUNT, OF_READER = 7, OF_BATCH };
enum { MAX_ROWS = 40 };
/* Where a field is that the fields of a message do not have: it is that of the topic, of
 * the partition, or none, and then it is unset in arrays. */
enum { OF_TOPIC = -1, OF_PARTITION = -2, ABSENT = -3 };

static int64_t number_in(Tcl_Obj *object) {
    int64_t number = 0;
    tcl.GetWideIntFromObj(NULL, object, &number);
    return number;
}

static int64_t now_ms(void) {
    struct timeval now;
    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void discard_stored(Stored *stored) {
    if (--stored->references) return;
    drop(stored->words);
    drop(stored->list);
    free(stored);
}

/* Call a procedure of ours with up to two words, and drop these; its code. */
static int call(Tcl_Interp *interp, const char *procedure, Tcl_Obj *first, Tcl_Obj *second) {
    Tcl_Obj *words[] = {hold(tcl.NewStringObj(procedure, -1)), hold(first), second};
    if (second) hold(second);
    int code = tcl.EvalObjv(interp, second ? 3 : 2, words, TCL_EVAL_GLOBAL);
    for (int i = 0; i < 3; i++)
        if (words[i]) drop(words[i]);
    return code;
}

/* The shape of a layout: Tcl tells it once.  NULL if that fails. */
static const Shape *shape_of(Tcl_Interp *interp, Realm *realm, Tcl_Obj *layout) {
    Tcl_Size count;
    Tcl_Obj **words;
    for (Shape *shape = realm->shapes; shape; shape = shape->next)
        if (is(layout, text_of(shape->name))) return shape;
    if (call(interp, "::kafkatcl::layouts::Shape", layout, NULL)) return NULL;
    Tcl_Obj *told = tcl.GetObjResult(interp);
    if (tcl.ListObjGetElements(NULL, told, &count, &words)) return NULL;
    if (count / 3 > MAX_ROWS) return NULL;
    Shape *shape = malloc(sizeof *shape + (size_t)count / 3 * sizeof *shape->rows);
    if (!shape) return NULL;
    *shape = (Shape){realm->shapes, hold(layout), hold(told), count / 3};
    for (Tcl_Size i = 0; i < count / 3; i++) {
        shape->rows[i].name = words[3 * i];
        shape->rows[i].place = number_in(words[3 * i + 1]);
        shape->rows[i].bit = number_in(words[3 * i + 2]);
    }
    return realm->shapes = shape;
}

static Front *front_of(Realm *realm, Tcl_Obj *id) {
    Front *front = realm->fronts;
    while (front && !is(id, text_of(front->id))) front = front->next;
    return front;
}

/* keep id words list: whether the messages read ahead of a reader are kept here. */
static int keep_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Tcl_Size size = 0;
    Tcl_Obj **words;
    Front *front = objc == 4 ? front_of(data, objv[1]) : NULL;
    const Shape *shape = NULL;
    if (front && !tcl.ListObjGetElements(interp, objv[3], &size, &words) && size >= OF_READER)
        shape = shape_of(interp, data, words[LAYOUT]);
    Stored *stored = shape ? calloc(1, sizeof *stored) : NULL;
    if (stored) {
        *stored = (Stored){front->stored, 1, hold(objv[2]), hold(objv[3]), words[TOPIC], words[TOPIC + 1], words[FIELDS],
            shape, number_in(words[AT]), number_in(words[WIDTH]), number_in(words[DUE]),
            size == OF_BATCH ? number_in(words[COUNT]) : 0};
        front->stored = stored;
    }
    tcl.SetObjResult(interp, tcl.NewWideIntObj(stored != NULL));
    return TCL_OK;
}

/* The list of what is stored, from a message on. */
static Tcl_Obj *list_of(const Stored *stored, int64_t at) {
    Tcl_Size size;
    Tcl_Obj **words, *copy[OF_BATCH];
    const Pack *pack = pack_in(stored->fields);
    tcl.ListObjGetElements(NULL, stored->list, &size, &words);
    memcpy(copy, words, (size_t)size * sizeof *copy);
    if (pack) copy[FIELDS] = unpacked(pack, (Tcl_Size)(at / stored->width));
    copy[AT] = tcl.NewWideIntObj(pack ? 0 : at);
    return tcl.NewListObj(size, copy);
}

/* Set an element of an array of ours: `prefix` and `id` are the name of the array. */
static void set(Tcl_Interp *interp, const char *prefix, const char *id, const char *element, Tcl_Obj *value) {
    char name[80];
    snprintf(name, sizeof name, "::kafkatcl::%s%s", prefix, id);
    tcl.SetVar2Ex(interp, name, element, value, TCL_GLOBAL_ONLY);
}

/* Give what is stored back to Tcl. */
static void give_back(Tcl_Interp *interp, Front *front, Stored *stored) {
    Stored **at = &front->stored;
    while (*at != stored) at = &(*at)->next;
    *at = stored->next;
    set(interp, stored->count ? "batches::" : "ahead::", text_of(front->id), text_of(stored->words), list_of(stored, stored->at));
    discard_stored(stored);
}

/* Give a batch whose code is being run back to Tcl: it is one that was begun there. */
static void give_back_run(Tcl_Interp *interp, Run *run) {
    static const char runs[] = "::kafkatcl::messages::runs";
    Tcl_Obj *reader[] = {run->front->id, run->stored->words, tcl.NewStringObj("batches", -1)};
    int64_t begin = run->stored->at - (run->stored->count - run->left) * run->stored->width;
    Tcl_Obj *lent[] = {tcl.NewListObj(3, reader), list_of(run->stored, begin)};
    Tcl_Obj *before = tcl.GetVar2Ex(interp, runs, NULL, TCL_GLOBAL_ONLY);
    run->number = hold(tcl.NewWideIntObj(before ? number_in(before) + 1 : 1));
    tcl.SetVar2Ex(interp, runs, NULL, run->number, TCL_GLOBAL_ONLY);
    set(interp, "messages::toGo", "", text_of(run->number), tcl.NewWideIntObj(run->left));
    set(interp, "batches::lent", "", text_of(run->number), tcl.NewListObj(2, lent));
}

/* recall ?id?: give all that belongs to an object, or to any, back to Tcl. */
static int recall_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Realm *realm = data;
    for (Front *front = realm->fronts; front; front = front->next) {
        if (objc > 1 && !is(objv[1], text_of(front->id))) continue;
        while (front->stored) give_back(interp, front, front->stored);
    }
    for (Run *run = realm->runs; run; run = run->next)
        if (!run->number && (objc < 2 || is(objv[1], text_of(run->front->id)))) give_back_run(interp, run);
    return TCL_OK;
}

/* Whether some words, with commas between them, are those of a reader. */
static int are(Tcl_Obj *const words[], int count, const char *joined) {
    for (int i = 0; i < count; i++) {
        const char *word = text_of(words[i]);
        size_t size = strlen(word);
        if (strncmp(word, joined, size) || joined[size] != (i + 1 < count ? ',' : 0)) return 0;
        joined += size + 1;
    }
    return count || !*joined;
}

/* What is stored for a reader.  NULL if there is nothing, and where Tcl goes on: when the
 * time has come to tell the engine. */
static Stored *find(Tcl_Interp *interp, Front *front, Tcl_Obj *const words[], int count, int is_batch) {
    for (Stored **place = &front->stored, *stored; (stored = *place); place = &stored->next) {
        if ((stored->count != 0) != is_batch || !are(words, count, text_of(stored->words))) continue;
        *place = stored->next; /* mostly it is the first one next time */
        stored->next = front->stored;
        front->stored = stored;
        int64_t enough = stored->width * (is_batch ? stored->count : 1);
        if (stored->at + enough <= length_of(NULL, stored->fields) && now_ms() <= stored->due) return stored;
        give_back(interp, front, stored);
        return NULL;
    }
    return NULL;
}

/* The value that a message has of a row of its shape, given its fields; NULL for none. */
static Tcl_Obj *value_of(const Stored *stored, Tcl_Obj *const fields[], Tcl_Size row) {
    int64_t place = stored->shape->rows[row].place, bit = stored->shape->rows[row].bit;
    if (place == OF_TOPIC) return stored->topic;
    if (place == OF_PARTITION) return stored->partition;
    if (place == ABSENT || (bit && !(number_in(fields[REQUIRED]) & bit))) return NULL;
    return fields[place];
}

/* The fields of the next message, and go on behind that.  `room` has those that were made
 * for it, up to the result; they are to be dropped. */
static Tcl_Obj **take_fields(Stored *stored, Tcl_Obj *room[], Tcl_Obj ***fields) {
    Tcl_Size size;
    Tcl_Obj **end = room;
    const Pack *pack = pack_in(stored->fields);
    if (pack) {
        end = unpack(pack, (Tcl_Size)(stored->at / stored->width), room);
        for (Tcl_Obj **made = room; made < end; made++) hold(*made);
        *fields = room;
    } else if (tcl.ListObjGetElements(NULL, stored->fields, &size, fields)) {
        *fields = NULL;
    } else {
        *fields += stored->at;
    }
    stored->at += stored->width;
    return end;
}

/* Set an array to the next message. */
static int fill(Tcl_Interp *interp, Tcl_Obj *array, Stored *stored) {
    const Shape *shape = stored->shape;
    Tcl_Obj *room[MAX_FIELDS], **fields, **end = take_fields(stored, room, &fields);
    int good = fields != NULL;
    for (Tcl_Size i = 0; good && i < shape->count; i++) {
        Tcl_Obj *name = shape->rows[i].name, *value = value_of(stored, fields, i);
        if (!value) tcl.UnsetVar2(interp, text_of(array), text_of(name), 0);
        else good = tcl.ObjSetVar2(interp, array, name, value, TCL_LEAVE_ERR_MSG) != NULL;
    }
    while (end > room) drop(*--end);
    return good ? TCL_OK : TCL_ERROR;
}

/* The next message as a list of names and values. */
static Tcl_Obj *pairs(Stored *stored) {
    Tcl_Size words = 0;
    Tcl_Obj *found[2 * MAX_ROWS], *room[MAX_FIELDS], **fields, **end = take_fields(stored, room, &fields);
    for (Tcl_Size i = 0; fields && i < stored->shape->count; i++) {
        Tcl_Obj *value = value_of(stored, fields, i);
        if (!value) continue;
        found[words++] = stored->shape->rows[i].name;
        found[words++] = value;
    }
    Tcl_Obj *list = tcl.NewListObj(words, found);
    while (end > room) drop(*--end);
    return list;
}

/* Whether there is not another message, or batch, behind those that are used. */
static int is_used_up(const Stored *stored) {
    return stored->at + stored->width * (stored->count ? stored->count : 1) > length_of(NULL, stored->fields);
}

/* Whether a name is that of an array which `upvar` does not refuse. */
static int is_simple(Tcl_Obj *name) { return !strpbrk(text_of(name), "(:") && *text_of(name) != '-'; }

/* A message was taken: where it was the last one the engine is told. */
static int look(Front *front, Stored *stored, Tcl_Interp *interp, int code) {
    if (!is_used_up(stored)) return code;
    void *state = tcl.SaveInterpState(interp, code);
    Tcl_Obj *reader[] = {front->id, stored->words};
    Tcl_Obj *list = hold(tcl.NewListObj(2, reader));
    give_back(interp, front, stored);
    call(interp, "::kafkatcl::ahead::Report", list, NULL);
    drop(list);
    return tcl.RestoreInterpState(interp, state);
}

/* consume ?partition? timeout array, and that of a subscriber, which has no array */
static int consume(Front *front, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    int words = front->words < 0 ? objc - 2 : front->words;
    if (front->words < 0 ? words > 1 : objc != 3 + words || !is_simple(objv[2 + words])) return PROCEDURE;
    Stored *stored = find(interp, front, objv + 2, words, 0);
    if (!stored) return PROCEDURE;
    int code = TCL_OK;
    Tcl_Obj *result = NULL;
    /* A trace on the array may have what is stored given back, and the command deleted. */
    stored->references++;
    __atomic_add_fetch(&front->references, 1, __ATOMIC_RELAXED);
    if (front->words < 0) result = pairs(stored);
    else if (!(code = fill(interp, objv[2 + words], stored))) result = tcl.NewWideIntObj(1);
    if (stored->references > 1) code = look(front, stored, interp, code);
    if (result) tcl.SetObjResult(interp, result);
    discard_stored(stored);
    release(front);
    return code;
}

/* -- consume_batch ?partition? timeout count array code ----------------------------------- */

/* The end of a run: what its code has not got to is there again. */
static int64_t put_back(Tcl_Interp *interp, Run *run) {
    Front *front = run->front;
    Stored *stored = run->stored;
    run->stored = NULL;
    if (!front->realm) { /* the command is gone, and so is what it has read */
        discard_stored(stored);
        return run->left;
    }
    stored->next = front->stored;
    front->stored = stored;
    if (now_ms() > stored->due || is_used_up(stored)) { /* the engine is told */
        Tcl_Obj *words = hold(stored->words);
        give_back(interp, front, stored);
        call(interp, "::kafkatcl::batches::Look", front->id, words);
        drop(words);
    }
    return run->left;
}

static int finish(Tcl_Interp *interp, Run *run, int code) {
    Front *front = run->front;
    int has_failed = 0;
    if (run->realm) {
        Run **at = &run->realm->runs;
        while (*at != run) at = &(*at)->next;
        *at = run->next;
    }
    int64_t count = run->stored->count, rest;
    void *state = code ? tcl.SaveInterpState(interp, code) : NULL;
    if (run->number) {
        has_failed = call(interp, "::kafkatcl::batches::End", run->number, tcl.NewWideIntObj(code));
        rest = has_failed ? 0 : number_in(tcl.GetObjResult(interp));
        discard_stored(run->stored);
        drop(run->number);
    } else {
        rest = put_back(interp, run);
    }
    if (state) code = tcl.RestoreInterpState(interp, state);
    else if (has_failed) code = TCL_ERROR;
    else tcl.SetObjResult(interp, tcl.NewWideIntObj(count - rest));
    drop(run->array);
    drop(run->code);
    free(run);
    release(front);
    return code;
}

/* How many messages the code of a run has not got to. */
static int64_t left_of(Tcl_Interp *interp, Run *run) {
    if (run->number) { /* Tcl may have ended it */
        Tcl_Obj *left = tcl.GetVar2Ex(interp, "::kafkatcl::messages::toGo", text_of(run->number), TCL_GLOBAL_ONLY);
        run->left = left ? number_in(left) : 0;
    }
    return run->left;
}

/* What is called behind the code for a message, with its code, and before the first one. */
static int step(void *data[], Tcl_Interp *interp, int code) {
    Run *run = data[0];
    if (code == TCL_ERROR) {
        char words[64];
        snprintf(words, sizeof words, "\n    (\"consume_batch\" body line %d)", tcl.GetErrorLine(interp));
        tcl.AppendObjToErrorInfo(interp, tcl.NewStringObj(words, -1));
    }
    if (code == TCL_CONTINUE) code = TCL_OK;
    if (code == TCL_OK && left_of(interp, run) > 0) {
        run->left--;
        if (run->number) set(interp, "messages::toGo", "", text_of(run->number), tcl.NewWideIntObj(run->left));
        tcl.ResetResult(interp);
        code = fill(interp, run->array, run->stored);
        if (code == TCL_OK) {
            tcl.NRAddCallback(interp, step, run, NULL, NULL, NULL);
            return tcl.NREvalObj(interp, run->code, 0);
        }
    }
    return finish(interp, run, code == TCL_BREAK ? TCL_OK : code);
}

static int consume_batch(Front *front, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    int words = (front->words < 0 ? 1 : front->words) + 1;
    if (objc != 4 + words || !is_simple(objv[2 + words])) return PROCEDURE;
    Stored *stored = find(interp, front, objv + 2, words, 1);
    Run *run = stored ? calloc(1, sizeof *run) : NULL;
    if (!run) return PROCEDURE;
    front->stored = stored->next;
    *run = (Run){front->realm->runs, front->realm, front, stored, hold(objv[2 + words]), hold(objv[3 + words]), NULL, stored->count};
    front->realm->runs = run;
    __atomic_add_fetch(&front->references, 1, __ATOMIC_RELAXED);
    void *data[] = {run};
    return step(data, interp, TCL_OK);
}

/* again id: have the `consume_batch` that is under way run its code for a batch that is
 * stored here, when its procedure has returned; whether there is one. */
static int again_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Front *front = objc == 2 ? front_of(data, objv[1]) : NULL;
    int is_stored = front && front->stored && front->stored->count;
    if (is_stored) front->again = 1;
    tcl.SetObjResult(interp, tcl.NewWideIntObj(is_stored));
    return TCL_OK;
}

/* What is called behind the procedure of a `consume_batch`. */
static int go_on(void *data[], Tcl_Interp *interp, int code) {
    Front *front = data[0];
    int objc = (int)(intptr_t)data[1], is_asked = front->again;
    Tcl_Obj *const *objv = data[2];
    front->again = 0;
    if (code == TCL_OK && is_asked && front->realm) {
        code = consume_batch(front, interp, objc, objv);
        if (code == PROCEDURE) {
            while (front->stored) give_back(interp, front, front->stored);
            code = front->procedure ? run_procedure(front->procedure, interp, objc, objv) : TCL_ERROR;
        }
    }
    release(front);
    return code;
}

/* Have the procedure read a batch, which may be stored here then. */
static int read_batch(Front *front, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    if (!front->procedure) return PROCEDURE;
    __atomic_add_fetch(&front->references, 1, __ATOMIC_RELAXED);
    tcl.NRAddCallback(interp, go_on, front, (void *)(intptr_t)objc, (void *)objv, NULL);
    return run_procedure(front->procedure, interp, objc, objv);
}

static int read_usual(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Front *front = data;
    const char *subcommand = objc > 1 ? text_of(objv[1]) : "";
    if (front->stored && !strcmp(subcommand, "consume")) return consume(front, interp, objc, objv);
    if (strcmp(subcommand, "consume_batch")) return PROCEDURE;
    int code = front->stored ? consume_batch(front, interp, objc, objv) : PROCEDURE;
    return code == PROCEDURE ? read_batch(front, interp, objc, objv) : code;
}
