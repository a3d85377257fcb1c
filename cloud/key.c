#include "cloud/cloud.h"

#include <string.h>

static bool key_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' || ch == '-';
}

bool cloud_key_ok(const char *key)
{
    size_t n = strnlen(key, CLOUD_KEY_SIZE_MAX + 1);
    if (n == 0 || n > CLOUD_KEY_SIZE_MAX)
        return false;
    unsigned depth = 1;
    bool begins = true; /* at the first byte of a component */
    for (size_t i = 0; i < n; i++) {
        if (key[i] == '/') {
            if (begins || ++depth > CLOUD_KEY_DEPTH_MAX)
                return false;
            begins = true;
            continue;
        }
        if (!key_char(key[i]) || (begins && key[i] == '.'))
            return false;
        begins = false;
    }
    return !begins;
}
