#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check-deb.sh: the Debian packages of the tool build, for this machine and for
# arm64; lintian has nothing to say; they hold what make install installs; and dpkg
# installs, removes and purges them without a trace. KTAP on stdout.
set -euo pipefail
. "$(dirname "$0")/common.sh"

number=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check()
{
	local name=$1 status=0

	shift
	"$@" >"$work/out" 2>&1 || status=$?
	number=$((number + 1))
	if ((status == 0)); then
		echo "ok $number $name"
	else
		sed 's/^/# /' "$work/out"
		echo "not ok $number $name"
		failed=1
	fi
}

# dpkg with an installation of its own.
in_root()
{
	dpkg --root="$work/target" --log=/dev/null --force-not-root --force-depends "$@"
}

# All files but dpkg's own, and the directories that it leaves.
files()
{
	(cd "$1" && find . ! -type d ! -path './var/lib/dpkg/*' | sort)
}

# From a path of make install to that in the package, where the two differ.
as_in_package()
{
	sed -e 's|^\./usr/lib/systemd|./lib/systemd|' -e 's|^\./usr/lib/udev|./lib/udev|' \
		-e 's|^\./usr/lib/modprobe|./lib/modprobe|' -e 's|\(/man/.*\)$|\1.gz|'
	printf './usr/share/doc/mtetagramctl/%s\n' changelog.gz copyright
}

installs()
{
	in_root --install "$deb" &&
		[[ $(dpkg-query --admindir="$work/target/var/lib/dpkg" -W -f '${db:Status-Status}' \
			mtetagramctl) == installed ]] &&
		"$work/target/usr/sbin/mtetagramctl" --version &&
		grep '^ExecStart=/usr/libexec/mtetagram/setup start %I' \
			"$work/target/lib/systemd/system/mtetagram@.service" &&
		test -x "$work/target/usr/libexec/mtetagram/setup"
}

removes()
{
	echo 'size = 1G' >"$work/target/etc/mtetagram.conf"
	in_root --remove mtetagramctl &&
		[[ $(files "$work/target") == ./etc/mtetagram.conf ]]
}

purges()
{
	in_root --purge mtetagramctl && diff /dev/null <(files "$work/target")
}

echo "KTAP version 1"
echo "1..8"
out=$("$TOP/scripts/build-deb.sh")
deb=$(echo "$out"/native/mtetagramctl_*.deb)
arm64=$(echo "$out"/arm64/mtetagramctl_*_arm64.deb)
mkdir -p "$work/target/var/lib/dpkg/"{info,updates,triggers}
touch "$work/target/var/lib/dpkg/"{status,available}
make -s -C "$TOP" TOOL_BUILD="$BUILD/deb-tool" DESTDIR="$work/made" PREFIX=/usr install >&2
dpkg-deb -x "$deb" "$work/unpacked"

check "source and binary package build" test -s "$out"/native/mtetagram_*.dsc -a -s "$deb"
check "so does the one for arm64" test -s "$arm64"
check "lintian has nothing to say" lintian --fail-on error,warning,info --info "$out"/*/*.changes
check "the package holds what make install installs" diff \
	<(files "$work/made" | as_in_package | sort) <(files "$work/unpacked")
check "the one for arm64 holds the same" diff <(files "$work/unpacked") \
	<(files "$out/root")
check "dpkg installs it" installs
check "dpkg removes it, but for changed settings" removes
check "dpkg purges it without a trace" purges
exit $failed
