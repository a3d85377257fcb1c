/* The digits in a file's name. Part of qcloud-salvage. Keeps I7. Pure. */
#pragma once

enum { DIGITS = 32 };

/* The last 32 lower-case hexadecimal digits in a row of a name; "" when it has none. An object of a cloud has
 * them (FORMAT 9), and keeps them where its slashes became something else. */
void digits_of(const char *name, char ret[DIGITS + 1]);
