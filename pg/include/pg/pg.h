/* PostgreSQL behind base/db.h. Layer 1; uses base. One connection: one thread at a time.
 *
 * A database is a schema (a name space) of a PostgreSQL database: its tables, and two of ours. `qc_database`
 * says what it is and of which version; who holds its lock is alone among writers. `qc_session` has a row for
 * each opening. Nothing is written outside a transaction, and each transaction first takes the lock, then
 * counts itself in the row of its session:
 *
 * S1  a session whose row says that it is over commits nothing any more, however long its process slept
 * S2  what became of a COMMIT whose answer was lost is read from that count, on a new connection
 *
 * A connection that was lost is made anew by the next statement that stands in no transaction. Errors, by
 * SQLSTATE: 08, 40, 57P, 53300, 55P03 and a lost connection -> QC_TEMP; 23 -> QC_CONFLICT; 42501, 28 ->
 * QC_AUTH; 53100 -> QC_FULL; 53200 -> QC_NOMEM; 57014 -> QC_CANCELLED; 58030 -> QC_IO; XX001, XX002 ->
 * QC_INTEGRITY; 3D000
 * -> QC_NOTFOUND; all else QC_GENERAL. QC_FENCED: S1. QC_IO of a commit: its outcome cannot be learnt. */
#pragma once
#include "base/db.h"

enum { PG_VALUE = 1024, PG_NAME = 64, PG_SCHEMA = 32 };

/* How to reach the server. Empty: not given. There is no password here: libpq reads one from `passfile`. */
struct pg_conf {
    char service[PG_NAME]; /* of ~/.pg_service.conf */
    char host[PG_VALUE];   /* a name, an address, or the directory of a UNIX socket */
    char port[8], dbname[PG_NAME], user[PG_NAME];
    char passfile[PG_VALUE];
    char schema[PG_SCHEMA]; /* the catalogue's name space: [a-z_0-9]; "qcloud" where it was not given */
    char sslmode[16], sslrootcert[PG_VALUE], sslcert[PG_VALUE], sslkey[PG_VALUE];
};

/*
 * [postgresql]
 * host = /run/postgresql     dbname, user, port, service, passfile, schema, sslmode, sslrootcert, sslcert,
 * sslkey: see docs/postgresql.md
 *
 * QC_USAGE: with the line's number; QC_NOTCONF: neither host nor service. A password is refused.
 */
QC_MUST qc_rc pg_conf_parse(qc_span text, struct pg_conf *ret, struct qc_err *err);

struct pg_opts {
    uint32_t application_id; /* another one is refused with QC_FORMAT */
    const char *schema;      /* [a-z_0-9]; borrowed */
    bool create;             /* the schema must not exist: QC_CONFLICT */
};
/*
 * Connect, check that the server keeps what it confirms (fsync, full_page_writes, synchronous_commit), begin
 * a session. A connection that leaves this machine must be encrypted. QC_NOTFOUND: no such schema; QC_USAGE:
 * a password in the environment; QC_UNFIT: a setting of the server's.
 */
QC_MUST qc_rc pg_open(struct qc_db **ret, const struct pg_conf *conf, const struct pg_opts *opts,
                      struct qc_err *err);

/* Schemas, each with a connection of its own. */
QC_MUST qc_rc pg_schema_has(const struct pg_conf *conf, const char *schema, bool *ret, struct qc_err *err);
/* With all that is in it; nothing if there is none. */
QC_MUST qc_rc pg_schema_drop(const struct pg_conf *conf, const char *schema, struct qc_err *err);
/* In one transaction: `schema`, if it exists, becomes `aside` (NULL: it must not exist, QC_CONFLICT), and
 * `fresh` becomes `schema`. */
QC_MUST qc_rc pg_schema_install(const struct pg_conf *conf, const char *fresh, const char *schema,
                                const char *aside, struct qc_err *err);
