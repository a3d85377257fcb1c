/* What file.c and file_dir.c share: names of temporary files. */
#pragma once
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

#define QC_TMP_PREFIX ".tmp-"
enum { QC_TMP_NAME = 48 };

/* Of an open file, for messages. */
struct qc_path_text {
    char s[200];
};
/* Where it lies, its end if that is long; "a file" where the system does not say. Keeps errno. */
struct qc_path_text qc_path_of(int fd);

/* One component of a path. */
static inline bool qc_name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= QC_FILE_NAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}
