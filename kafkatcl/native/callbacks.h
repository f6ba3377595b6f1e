/* callbacks.h -- Callbacks of messages, one after the other, for `tcl/turns.tcl`. */

/* What `tcl/turns.tcl` calls the variables of a turn. */
static const struct {
    const char *name;
    size_t place;
} variables[] = {
    {"::kafkatcl::events::next", offsetof(Turn, next)},   {"::kafkatcl::events::at", offsetof(Turn, at)},
    {"::kafkatcl::events::left", offsetof(Turn, left)},   {"::kafkatcl::events::changes", offsetof(Turn, changes)},
    {"::kafkatcl::events::until", offsetof(Turn, until)}, {"::kafkatcl::waits::stop", offsetof(Turn, stop)},
};
enum { VARIABLES = sizeof variables / sizeof *variables };

static int64_t *variable(Turn *turn, int number) { return (int64_t *)((char *)turn + variables[number].place); }

/* Have the variables here, so that a callback finds them as they are: a loop within it, too. */
static void link_variables(Tcl_Interp *interp, Realm *realm) {
    for (int i = 0; i < VARIABLES && !realm->depth; i++) {
        int64_t *at = variable(&realm->turn, i);
        Tcl_Obj *value = tcl.GetVar2Ex(interp, variables[i].name, NULL, TCL_GLOBAL_ONLY);
        *at = value ? number_in(value) : 0;
        tcl.LinkVar(interp, variables[i].name, at, TCL_LINK_WIDE_INT);
    }
    realm->depth++;
}

static void unlink_variables(Tcl_Interp *interp, Realm *realm) {
    realm->depth--;
    for (int i = 0; i < VARIABLES && !realm->depth; i++) {
        tcl.UnlinkVar(interp, variables[i].name);
        Tcl_Obj *value = tcl.NewWideIntObj(*variable(&realm->turn, i));
        tcl.SetVar2Ex(interp, variables[i].name, NULL, value, TCL_GLOBAL_ONLY);
    }
}

/* Call back for the message at `at`, at global level.  An error is one only where the script
 * is being cancelled. */
static int call_back(Tcl_Interp *interp, Turn *turn, Stored *stored, Tcl_Size end, Tcl_Obj *words[], Tcl_Size count) {
    words[count - 1] = hold(pairs(stored));
    turn->at = stored->at < end ? stored->at : 0;
    turn->next += stored->at == end;
    turn->left--;
    int code = tcl.EvalObjv(interp, count, words, TCL_EVAL_GLOBAL);
    drop(words[count - 1]);
    if (code == TCL_ERROR && tcl.Canceled(interp, TCL_CANCEL_UNWIND)) return TCL_ERROR;
    if (code == TCL_ERROR) {
        tcl.AppendObjToErrorInfo(interp, tcl.NewStringObj("\n    (\"uplevel\" body line 1)", -1));
        call(interp, "::kafkatcl::events::Failed", tcl.GetObjResult(interp), NULL);
    }
    return TCL_OK;
}

/* each prefix topic partition layout fields width most: run a callback for the messages from
 * `at` on, until the turn is over; how many these were. */
static int each_command(void *data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]) {
    Realm *realm = data;
    Turn *turn = &realm->turn;
    Tcl_Size count, end = objc == 8 ? length_of(interp, objv[5]) : -1;
    Tcl_Obj **prefix;
    int64_t ran = 0;
    const Shape *shape = end < 0 ? NULL : shape_of(interp, realm, objv[4]);
    if (!shape || tcl.ListObjGetElements(interp, objv[1], &count, &prefix)) return TCL_ERROR;
    Tcl_Obj **words = malloc((size_t)(count + 1) * sizeof *words);
    if (!words) return TCL_ERROR;
    int64_t most = number_in(objv[7]);
    tcl.Preserve(interp);
    link_variables(interp, realm);
    int64_t unchanged = turn->changes;
    Stored stored = {.topic = objv[2], .partition = objv[3], .fields = objv[5], .shape = shape, .at = turn->at,
        .width = number_in(objv[6])};
    for (Tcl_Size i = 0; i < count; i++) words[i] = hold(prefix[i]);
    int code = TCL_OK;
    while (ran < most && stored.at < end && !code) {
        code = call_back(interp, turn, &stored, end, words, count + 1);
        ran++;
        if (turn->stop || turn->changes != unchanged || now_ms() >= turn->until) break;
    }
    for (Tcl_Size i = 0; i < count; i++) drop(words[i]);
    free(words);
    unlink_variables(interp, realm);
    if (!code) tcl.SetObjResult(interp, tcl.NewWideIntObj(ran));
    tcl.Release(interp);
    return code;
}
