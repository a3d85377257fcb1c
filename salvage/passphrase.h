/* Where the passphrases of share stores come from. Part of qcloud-salvage. */
#pragma once
#include "salvage.h"

/* QCLOUD_PASSPHRASE_FD or QCLOUD_PASSPHRASE_COMMAND, once; else the terminal, unless o forbids it. o is
 * borrowed. */
struct vault_passes passphrase_source(struct options *o);
