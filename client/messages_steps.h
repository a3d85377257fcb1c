/* How the tables of messages write what to do next. Part of the program qcloud (layer 5). */
#pragma once
#include "messages.h"

#define SAY(text)                                                                                            \
    {                                                                                                        \
        .before = (text)                                                                                     \
    }
#define SAME                                                                                                 \
    {                                                                                                        \
        .before = "the same command again", .again = true                                                    \
    }
#define SAME_GOES_ON                                                                                         \
    {                                                                                                        \
        .before = "the same command again: it goes on where it stopped", .again = true                       \
    }
#define SAME_DOES_THE_REST                                                                                   \
    {                                                                                                        \
        .before = "the same command again: it does what is left", .again = true                              \
    }
#define RUN(...)                                                                                             \
    {                                                                                                        \
        .argv = { __VA_ARGS__ }                                                                              \
    }
#define RUN_THEN(text, ...)                                                                                  \
    {                                                                                                        \
        .argv = { __VA_ARGS__ }, .after = (text)                                                             \
    }
#define AGAIN        "then the same command again"
#define WHICH_SITES  RUN_THEN("shows which sites answer", "qcloud", "site", "list")
#define REBUILD_SITE RUN_THEN("shares it anew among all three", "qcloud", "site", "rebuild", "{name}")
