/* The scripts by which shells complete command lines. They know nothing of the program but its name: what may
 * come next is asked of it (opt_complete.c), at each press of the key. Names are asked for with a limit of
 * time; errors are silent, nobody wants to read them on his command line. */
#include <string.h>

#include "base/opt.h"

/* @P@ is the program, @F@ its name as part of a function's. */
static const char bash[] =
    "# bash completion of @P@. Use it: source <(@P@ completion bash)\n"
    "_@F@()\n"
    "{\n"
    "    local line current=${COMP_WORDS[COMP_CWORD]} found\n"
    "    COMPREPLY=()\n"
    "    current=${current//\\\\/} current=${current#[\\\"\\']} current=${current#=}\n"
    "    while IFS= read -r line; do\n"
    "        found=()\n"
    "        case $line in\n"
    "        :file) mapfile -t found < <(compgen -f -- \"$current\") ;;\n"
    "        :dir) mapfile -t found < <(compgen -d -- \"$current\") ;;\n"
    "        :*) mapfile -t found < <(timeout 0.3 @P@ completion names -- \"${line#:}\" \"$current\" "
    "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\" 2>/dev/null) ;;\n"
    "        *) found=(\"${line%%$'\\t'*}\") ;;\n"
    "        esac\n"
    "        [[ $line != :* ]] || compopt -o filenames 2>/dev/null\n"
    "        COMPREPLY+=(\"${found[@]}\")\n"
    "    done < <(@P@ completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD-1}\" \"$current\" 2>/dev/null)\n"
    "}\n"
    "complete -F _@F@ @P@\n";
static const char zsh[] =
    "#compdef @P@\n"
    "# zsh completion of @P@. Use it: a file _@P@ of a folder of $fpath; or: source <(@P@ completion zsh)\n"
    "_@F@()\n"
    "{\n"
    "    local line\n"
    "    local -a lines said names\n"
    "    lines=(\"${(@f)$(@P@ completion words -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" "
    "2>/dev/null)}\")\n"
    "    for line in $lines; do\n"
    "        case $line in\n"
    "        :file) _files ;;\n"
    "        :dir) _files -/ ;;\n"
    "        :*) names=(\"${(@f)$(timeout 0.3 @P@ completion names -- ${line#:} \"${(Q)PREFIX}\" "
    "\"${(@Q)words[2,CURRENT-1]}\" 2>/dev/null)}\")\n"
    "            compadd -a names ;;\n"
    "        *) said+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    (( ! $#said )) || _describe @P@ said\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _@P@ ]; then _@F@ \"$@\"; else compdef _@F@ @P@; fi\n";
static const char fish[] =
    "# fish completion of @P@. Use it: @P@ completion fish | source\n"
    "function __@F@_complete\n"
    "    set -l before (commandline -opc)\n"
    "    set -l current (string unescape -- (commandline -ct)); or set current (commandline -ct)\n"
    "    for line in (@P@ completion words -- $before[2..-1] \"$current\" 2>/dev/null)\n"
    "        switch $line\n"
    "            case :file\n"
    "                __fish_complete_path $current\n"
    "            case :dir\n"
    "                __fish_complete_directories $current\n"
    "            case ':*'\n"
    "                timeout 0.3 @P@ completion names -- (string sub -s 2 -- $line) \"$current\" "
    "$before[2..-1] "
    "2>/dev/null\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c @P@ -f -a '(__@F@_complete)'\n";

static qc_rc put_name(const struct qc_app *app, bool function, qc_buf *ret, struct qc_err *err)
{
    for (const char *c = app->name; *c != '\0'; c++)
        QC_TRY(qc_buf_addf(ret, err, "%c", function && *c == '-' ? '_' : *c));
    return QC_OK;
}

qc_rc qc_opt_completion(const struct qc_app *app, const char *shell, qc_buf *ret, struct qc_err *err)
{
    static const struct {
        const char *shell, *text;
    } scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    const char *s = NULL;

    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (strcmp(scripts[i].shell, shell) == 0)
            s = scripts[i].text;
    if (s == NULL)
        return QC_FAIL(err, QC_USAGE, "there is no completion for '%.40s', but for bash, zsh and fish",
                       shell);
    while (*s != '\0') {
        const size_t n = strcspn(s, "@");
        const bool mark = strncmp(s + n, "@P@", 3) == 0 || strncmp(s + n, "@F@", 3) == 0;
        QC_TRY(qc_buf_add(ret, qc_span_of(s, s[n] != '\0' && !mark ? n + 1 : n), err));
        s += s[n] == '\0' ? n : n + (mark ? 3 : 1);
        if (mark)
            QC_TRY(put_name(app, s[-2] == 'F', ret, err));
    }
    return QC_OK;
}
