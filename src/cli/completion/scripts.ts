/**
 * What `rbuild completion` prints. Each script hands the line up to the cursor to `rbuild --get-completions`
 * (printed-completions.ts), offers its answer, and has the shell add paths where that says so.
 */

/** Right behind "--on=", "=" is the word that bash is at; the others see "--on=" before it. */
export const BASH_SCRIPT = `###-begin-rbuild-completions-###
_rbuild_completions()
{
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        case "$word" in
            :files) compopt -o default ;;
            :directories) compopt -o plusdirs ;;
            *) COMPREPLY+=("$word") ;;
        esac
    done < <(rbuild --get-completions "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _rbuild_completions rbuild
###-end-rbuild-completions-###
`;

export const ZSH_SCRIPT = `#compdef rbuild
###-begin-rbuild-completions-###
_rbuild_completions()
{
    local word paths current="$PREFIX"
    local -a before found
    before=("\${(@Q)words[2,CURRENT-1]}")
    if [[ $PREFIX == --*=* ]]; then
        before+=("\${PREFIX%%=*}" "=")
        current="\${PREFIX#*=}"
        compset -P '--*='
    fi
    while IFS= read -r word; do
        case "$word" in
            :*) paths="$word" ;;
            *) found+=("$word") ;;
        esac
    done < <(rbuild --get-completions "\${before[@]}" "$current" 2>/dev/null)
    (( \${#found} )) && compadd -- "\${found[@]}"
    case "$paths" in
        :files) _files ;;
        :directories) _files -/ ;;
    esac
}
if [[ "\${zsh_eval_context[-1]}" == "loadautofunc" ]]; then
    _rbuild_completions "$@"
else
    compdef _rbuild_completions rbuild
fi
###-end-rbuild-completions-###
`;

export const FISH_SCRIPT = `###-begin-rbuild-completions-###
function __rbuild_completions
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct)
    set -l flag (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -r -- '^--[^=]*=' '' "$current")
    for word in (rbuild --get-completions $before "$current" 2>/dev/null)
        switch $word
            case ':files'
                for path in (__fish_complete_path "$value")
                    echo "$flag$path"
                end
            case ':directories'
                for path in (__fish_complete_directories "$value" '')
                    echo "$flag$path"
                end
            case '*'
                echo $word
        end
    end
end
complete -c rbuild -f -a '(__rbuild_completions)'
###-end-rbuild-completions-###
`;
