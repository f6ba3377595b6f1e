#!/bin/sh
# A tclsh of Tcl 9, with Itcl, where the system's own is one of Tcl 8.6:
#   tcl9.sh FOLDER     makes FOLDER/usr/bin/tclsh, unless it is there
# On Debian the packages of a later release are fetched from the mirror that the system itself uses, and unpacked with
# the libraries they need; nothing is installed.
set -euf

SUITE=trixie
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

main() {
    folder=$1
    [ ! -x "$folder/usr/bin/tclsh" ] || return 0
    command -v apt-get >/dev/null || give_up "there is no apt-get"
    mirror=$(mirror)
    [ -n "$mirror" ] || give_up "apt knows no mirror of Debian"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    private_apt "$work" "$mirror"
    fetch "$work" >"$work/log" 2>&1 || give_up "apt-get failed: $(tail -n 3 "$work/log")"
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder"
    mv "$work/root" "$folder"
}

# The address from which apt gets the system's own packages.
mirror() {
    # shellcheck disable=SC2016 # the placeholders are apt's
    apt-get indextargets --format '$(REPO_URI) $(SUITE)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' \
        2>/dev/null | sed -n '/-security/!{s/ .*//p;q;}'
}

# A configuration in which only that release exists, and nothing is installed; signatures are checked as ever.
private_apt() {
    work=$1
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/root"
    : >"$work/status"
    echo "deb [signed-by=$KEYS] $2 $SUITE main" >"$work/sources.list"
    cat >"$work/apt.conf" <<-END
	Dir::State "$work/state";
	Dir::State::status "$work/status";
	Dir::Cache "$work/cache";
	Dir::Etc::sourcelist "$work/sources.list";
	Dir::Etc::sourceparts "$work/parts";
	Dir::Etc::preferencesparts "$work/parts";
	APT::Sandbox::User "";
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear DPkg::Post-Invoke;
	END
    export APT_CONFIG="$work/apt.conf"
}

fetch() {
    work=$1
    apt-get -q update || return 1
    apt-get -q -y install --download-only --no-install-recommends tcl9.0 tcl-itcl4 || return 1
    set +f
    for package in "$work"/cache/archives/*.deb; do
        dpkg -x "$package" "$work/root" || return 1
    done
    set -f
    settle "$work/root/usr"
    echo 'package require Tcl 9; package require tcltest; package require Itcl' | "$work/root/usr/bin/tclsh"
}

# Have it find everything in the folder it is in, of which Debian knows nothing.
settle() {
    usr=$1
    # Run by the C library of its own release.  Tcl looks for its scripts beside the program that it takes itself for.
    cat >"$usr/bin/tclsh" <<-'END'
	#!/bin/sh
	usr=$(dirname "$(dirname "$(readlink -f "$0")")")
	set -- --library-path "$(echo "$usr"/lib/*-linux-gnu*)" --argv0 "$0" "$usr/bin/tclsh9.0" "$@"
	exec "$(echo "$usr"/lib*/ld-linux-*.so.*)" "$@"
	END
    chmod +x "$usr/bin/tclsh"
    mkdir -p "$usr/lib/tcl9"
    ln -s ../tcl9.0/tcl9 "$usr/lib/tcl9/9.0"
    for package in $(cd "$usr" && find lib/tcltk -name 'itcl*' -type d); do
        mv "$usr/$package" "$usr/lib"
        # shellcheck disable=SC2016 # the variable is Tcl's
        sed -i 's|file join /usr lib|file join [file dirname $dir]|' "$usr/lib/${package##*/}/pkgIndex.tcl"
    done
}

give_up() {
    echo "no Tcl 9: $*" >&2
    exit 1
}

main "$@"
