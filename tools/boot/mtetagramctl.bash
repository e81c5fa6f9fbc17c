# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of mtetagramctl. Commands, options and columns come from the help texts of
# mtetagramctl, so this file has no lists.

# Names of the commands.
_mtetagramctl_commands()
{
	"$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# _mtetagramctl_options PROGRAM [COMMAND]: the long options of the command.
_mtetagramctl_options()
{
	"$@" --help 2>/dev/null | sed -nE 's/^ +(-[A-Za-z], +)?(--[a-z][a-z-]*).*/\2/p'
}

# _mtetagramctl_columns PROGRAM COMMAND LIST: the columns, each after the part of the list
# that is complete.
_mtetagramctl_columns()
{
	local before=

	[[ $3 != *,* ]] || before=${3%,*},
	[[ $3 != +* || $before ]] || before=+
	"$1" "$2" --help 2>/dev/null | sed -n '/^Columns:/,$s/^ \{2,\}\([A-Z][A-Z-]*\)  .*/\1/p' |
		sed "s/^/$before/"
}

# The command of this line, if the user has typed all of it.
_mtetagramctl_command()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { printf '%s\n' "${COMP_WORDS[i]}"; return; }
	done
}

_mtetagramctl()
{
	local program=$1 cur=$2 prev=$3 command words

	COMPREPLY=()
	command=$(_mtetagramctl_command)
	case $prev in
	-a | --algorithm)
		words=$(cat /sys/block/mtetagram*/comp_algorithm 2>/dev/null | tr -d '[]') ;;
	-o | --output)
		words=$(_mtetagramctl_columns "$program" "${command:-status}" "$cur")
		# Other commands have --output FILE.
		[[ $words ]] || words=$(compgen -f -- "$cur") ;;
	-s | --size | -m | --mem-limit | -p | --priority | --interval | --count | --group)
		return ;;
	*)
		if [[ $cur == -* ]]; then
			words=$(_mtetagramctl_options "$program" ${command:+"$command"})
		elif [[ ! $command ]]; then
			words=$(_mtetagramctl_commands "$program")
		else
			words=$(compgen -G '/dev/mtetagram[0-9]*')
		fi ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ $prev != -o && $prev != --output ]] || compopt -o nospace 2>/dev/null || :
}

complete -F _mtetagramctl mtetagramctl
