/* Pages of docs/ that the program has with it: qcloud help TOPIC. Part of the program qcloud (layer 5). */
#pragma once
#include <stddef.h>

struct topic {
    const char *name;          /* NULL: the end of the table */
    const unsigned char *text; /* UTF-8 */
    size_t n;
};
extern const struct topic topics[];
