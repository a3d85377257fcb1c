/* Checks for tests: they print what, where and what came, and end the program. Not for the product. */
#pragma once
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#define CHECK(c)                                                                                             \
    do {                                                                                                     \
        if (!(c)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);                            \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

/* The call, whose last argument is &err (a local of this name), ends with the code; other codes show their
 * text. */
#define CHECK_RC(call, want)                                                                                 \
    do {                                                                                                     \
        qc_rc got_ = (call);                                                                                 \
        if (got_ != (want)) {                                                                                \
            fprintf(stderr, "%s:%d: %s: got %s (%s), expected %s\n", __FILE__, __LINE__, #call,              \
                    qc_rc_name(got_), got_ == QC_OK ? "" : err.msg, qc_rc_name(want));                       \
            exit(1);                                                                                         \
        }                                                                                                    \
        qc_err_clear(&err);                                                                                  \
    } while (0)
#define CHECK_OK(call) CHECK_RC(call, QC_OK)

/* The statement ends the process with SIGABRT: a contract that was broken. In a child, its message unseen. */
#define CHECK_DIES(statement)                                                                                \
    do {                                                                                                     \
        fflush(NULL);                                                                                        \
        pid_t pid_ = fork();                                                                                 \
        int status_ = 0;                                                                                     \
        CHECK(pid_ >= 0);                                                                                    \
        if (pid_ == 0) {                                                                                     \
            if (freopen("/dev/null", "w", stderr) == NULL)                                                   \
                _exit(2);                                                                                    \
            statement;                                                                                       \
            _exit(0);                                                                                        \
        }                                                                                                    \
        CHECK(waitpid(pid_, &status_, 0) == pid_);                                                           \
        CHECK(WIFSIGNALED(status_) && WTERMSIG(status_) == SIGABRT);                                         \
    } while (0)
