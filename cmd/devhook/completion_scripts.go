package main

// completionScripts are what a shell reads. All they do is call completeName, so that
// one that was read a year ago knows the flags of today.
var completionScripts = map[string]string{
	// bash takes a word apart at : and =, and completes the last part.
	"bash": `# devhook, for bash
_devhook() {
	local line="${COMP_LINE:0:COMP_POINT}" IFS=$' \t\n' words cur head
	read -r -a words <<<"$line"
	case "$line" in *[[:space:]]) words+=("") ;; esac
	cur="${words[${#words[@]}-1]}"
	IFS=$'\n'
	COMPREPLY=($(devhook __complete -- "${words[@]:1}" 2>/dev/null | cut -f1))
	case "$cur" in
	*[:=]*)
		head="${cur%"${cur##*[:=]}"}"
		COMPREPLY=("${COMPREPLY[@]#"$head"}")
		;;
	esac
	case "${#COMPREPLY[@]} ${COMPREPLY[0]}" in
	"1 "*[:=./]) type compopt >/dev/null 2>&1 && compopt -o nospace 2>/dev/null ;;
	esac
}
complete -o default -F _devhook devhook
`,
	"zsh": `#compdef devhook
# devhook, for zsh
_devhook() {
	local line text
	local -a found partial
	while IFS= read -r line; do
		text="${line%%$'\t'*}"
		case "$text" in
		*[:=./]) partial+=("$text") ;;
		"$line") found+=("${text//:/\\:}") ;;
		*) found+=("${text//:/\\:}:${line#*$'\t'}") ;;
		esac
	done < <(devhook __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	if (( $#partial )); then
		compadd -S '' -a partial
	fi
	if (( $#found )); then
		_describe -V devhook found
	elif (( ! $#partial )); then
		_files
	fi
}
compdef _devhook devhook
`,
	"fish": `# devhook, for fish
function __devhook_complete
	set -l words (commandline -opc)
	set -l last (commandline -ct)
	set -e words[1]
	set -l found (devhook __complete -- $words "$last" 2>/dev/null)
	if test (count $found) -gt 0
		printf '%s\n' $found
	else
		__fish_complete_path "$last"
	end
end
complete -c devhook -f -a '(__devhook_complete)'
`,
	"powershell": `# devhook, for PowerShell
Register-ArgumentCompleter -Native -CommandName devhook -ScriptBlock {
	param($word, $ast, $position)
	$words = @($ast.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { $_.ToString() })
	if ($word -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { $last = '""' } else { $last = $word }
	devhook __complete '--' @words $last 2>$null | ForEach-Object {
		$text, $about = $_ -split [char]9, 2
		if (-not $about) { $about = $text }
		[System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
	}
}
`,
}
