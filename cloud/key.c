#include "driver.h"

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

/* The rest of a key: n hex digits, a slash, 32 hex digits. */
static bool hex_path(const char *s, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    return strspn(s, digits) == n && s[n] == '/' && strspn(s + n + 1, digits) == 32 && s[n + 33] == '\0';
}

bool cloud_key_ours(const char *key)
{
    static const char test[] = "v/qcloud-test-";
    if (strcmp(key, "i/cloud") == 0 || strncmp(key, test, strlen(test)) == 0)
        return true;
    if ((key[0] == 'f' || key[0] == 'l' || key[0] == 's') && key[1] == '/')
        return hex_path(key + 2, 2) && strncmp(key + 2, key + 5, 2) == 0;
    return key[0] == 'r' && key[1] == '/' && hex_path(key + 2, 8);
}
