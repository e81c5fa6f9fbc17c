#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the packages of scripts/packages that are missing, with apt, as root
# or through sudo, and finds the kernel source archive. Prints nothing and
# needs no rights if nothing is missing.

set -euo pipefail
. "$(dirname "$0")/common.sh"

# The names in scripts/packages that dpkg does not know as installed.
missing_packages()
{
	local name rest have

	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' |
		sed -n 's/^installed //p' | sort -u)
	while read -r name rest; do
		[[ -z $name || $name == '#'* ]] && continue
		grep -qxF -- "$name" <<<"$have" || printf '%s\n' "$name"
	done <"$TOP/scripts/packages"
}

as_root()
{
	if ((EUID == 0)); then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "packages are missing; run as root or install sudo: $*"
	fi
}

install_packages()
{
	msg "installing: $*"
	as_root apt-get -o DPkg::Lock::Timeout=600 update -q >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get \
		-o DPkg::Lock::Timeout=600 install -q -y \
		--no-install-recommends "$@" >&2
}

command -v apt-get >/dev/null || die "this needs Debian 12 (apt-get not found)"
mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
	install_packages "${missing[@]}"
fi
