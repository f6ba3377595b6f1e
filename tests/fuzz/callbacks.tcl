# callbacks.tcl --
#
#   Callbacks and values that the grammar names.

proc ::fuzz::Note {args} {
    variable count
    incr count
}
proc ::fuzz::Error {args} {error boom info {FUZZ BOOM}}
proc ::fuzz::Break {args} {return -code break}
proc ::fuzz::Continue {args} {return -code continue}
proc ::fuzz::Return {code args} {return -code $code}
proc ::fuzz::Kill {name args} {catch {rename ::$name {}}}
proc ::fuzz::Redefine {args} {proc ::fuzz::Redefine {args} [info body ::fuzz::Note]}
proc ::fuzz::Read {name args} {
    if {[May]} {
        catch {$name consume 0 0 row}
    }
}
proc ::fuzz::Start {name args} {
    if {[May]} {
        catch {$name start 0 0 fuzz::Note}
    }
}
# As deep as Tcl goes.
proc ::fuzz::Recurse {args} {
    variable recursions
    if {[incr recursions] < 5000} {
        Recurse {*}$args
    }
}
proc ::fuzz::Vwait {args} {
    Nest {
        after 2 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
    }
}
proc ::fuzz::Update {args} {
    Nest update
}

# Run events, not without end within each other.
proc ::fuzz::Nest {script} {
    variable depth
    if {$depth < 5 && [May]} {
        incr depth
        eval $script
        incr depth -1
    }
}

# Whether a callback may do what takes a while: one call may have it run 10,000 times.
proc ::fuzz::May {} {
    variable budget
    return [expr {[incr budget -1] >= 0}]
}

proc ::fuzz::Nested {depth} {
    set list x
    for {set i 0} {$i < $depth} {incr i} {
        set list [list $list]
    }
    return $list
}
