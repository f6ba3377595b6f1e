"""Scripts evaluated from Python, with their exact result, errorCode and errorInfo."""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.texts import text_from_tcl
from kafkatcl.hosting.errors import TclError
from kafkatcl.hosting.values import from_tcl

# What Tcl says of `break` and its kin outside of loops: ``ProcessUnexpectedResult`` in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclBasic.c#L6333
_SUPPORT = r"""
namespace eval ::kafkatcl::host {}
# What a script evaluated by `catch value options` came to: {0 text} or {code message errorCode errorInfo}.  Each text
# has a character before it, since tkinter gives a Tcl value of any other type than string in a form of its own.
proc ::kafkatcl::host::Outcome {code} {
    variable value
    variable options
    set text $value
    set value {}
    if {$code == 2 && [dict get $options -level] == 1} {
        set code [dict get $options -code]
    }
    switch $code {
        0 {return [list 0 =$text]}
        1 {}
        3 {set text {invoked "break" outside of a loop}}
        4 {set text {invoked "continue" outside of a loop}}
        default {set text "command returned bad code: $code"}
    }
    set told [dict merge [dict create -errorcode NONE -errorinfo $text] $options]
    list $code =$text =[dict get $told -errorcode] =[dict get $told -errorinfo]
}
# Tell the error of a callback as Tcl does, unless it is a Python program's way to its end.
proc ::kafkatcl::host::Background {message options} {
    if {[dict get $options -errorcode] in {{PYTHON SystemExit} {PYTHON KeyboardInterrupt}}} {
        return
    }
    ::tcl::Bgerror $message $options
}
# Delete the commands of a namespace, and of those in it, that have a trace on their deletion.
proc ::kafkatcl::host::Clear {namespace} {
    foreach command [info commands ${namespace}::*] {
        if {[llength [trace info command $command]]} {
            catch {rename $command {}}
        }
    }
    foreach child [namespace children ${namespace}::] {
        Clear $child
    }
}
"""


def prepare(interp: Any) -> None:
    """Give an interpreter the procedures that this module needs."""
    interp.tk.eval(_SUPPORT)


def evaluate(interp: Any, script: Any) -> str:
    """Evaluate a script at global level; its value.

    :param script: a str, or a command as a tuple of words; see ``to_tcl``.
    :raises TclError: the script failed, or ended by ``break`` and the like.
    """
    # `catch` as the outermost command adds nothing of its own to errorInfo.
    status = interp.tk.call("catch", script, "::kafkatcl::host::value", "::kafkatcl::host::options")
    code, *texts = interp.tk.call("::kafkatcl::host::Outcome", status)
    text, *told = (text_from_tcl(marked[1:]) for marked in texts)
    if told:
        errorcode, errorinfo = told
        raise TclError(text, from_tcl(interp, errorcode, list), errorinfo, int(code))
    return text


def clear(interp: Any) -> None:
    """Cancel timers, and delete the commands that have a trace on their deletion.

    Such are the commands of open handles.
    """
    interp.tk.eval("foreach timer [after info] {after cancel $timer}")
    interp.tk.call("::kafkatcl::host::Clear", "")
