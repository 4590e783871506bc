/** The shells for which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

export type Shell = (typeof SHELLS)[number];

/** The text that makes a shell complete podio. It only asks podio itself: a newer podio needs no newer script. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

// COMP_WORDS is broken at ":" and "=" too; what no blank parts is put together again. The answer's beginning up to
// the last such character is bash's already, but for an "@", which bash counts to the word behind it.
const BASH = `_podio() {
  local rest=\${COMP_LINE:0:COMP_POINT} words=() word typed kept candidate i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if [[ $i -eq 0 || $rest == [[:space:]]* ]]; then
      rest=\${rest#"\${rest%%[![:space:]]*}"}
      words+=('')
    fi
    word=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && word=$rest
    words[\${#words[@]}-1]+=$word
    rest=\${rest#"$word"}
  done
  typed=\${words[\${#words[@]}-1]}
  kept=\${typed%"\${typed##*[$COMP_WORDBREAKS]}"}
  kept=\${kept%@}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    case $candidate in
      :files) compopt -o default 2>/dev/null; continue ;;
      */ | *=) compopt -o nospace 2>/dev/null ;;
    esac
    printf -v candidate %q "\${candidate#"$kept"}"
    COMPREPLY+=("$candidate")
  done < <("$1" __complete bash "=$typed" "\${words[@]:1:\${#words[@]}-2}" 2>/dev/null)
}
complete -F _podio podio
`;

const ZSH = `#compdef podio
_podio() {
  local line word
  local -a answer whole open
  answer=("\${(@f)$("\${words[1]}" __complete zsh "=\${(Q)PREFIX}" "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}")
  for line in $answer; do
    if [[ $line == :files ]]; then
      _files
      continue
    fi
    word=\${line%%$'\\t'*}
    line="\${word//:/\\\\:}:\${line#*$'\\t'}"
    if [[ $word == *[/=] ]]; then open+=("$line"); else whole+=("$line"); fi
  done
  (( $#whole )) && _describe podio whole
  (( $#open )) && _describe podio open -S ''
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
if [[ $funcstack[1] == _podio ]]; then _podio "$@"; else compdef _podio podio; fi
`;

const FISH = `function __podio_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in ($words[1] __complete fish "=$typed" $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$typed"
        else
            echo $line
        end
    end
end
complete -c podio -f -a '(__podio_complete)'
`;

const POWERSHELL = `Register-ArgumentCompleter -Native -CommandName podio -ScriptBlock {
  param($typed, $line, $cursor)
  $words = @($line.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString().Trim("'", '"') })
  podio __complete powershell "=$typed" @words 2>$null | ForEach-Object {
    $word, $text = $_ -split "\`t", 2
    if ($word -eq ':files') {
      [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)
    } else {
      if (-not $text) { $text = $word }
      [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $text)
    }
  }
}
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
