/* The catalogue's tables. A new catalogue is made as the first one was, and raised like an old one: from each
 * schema to the next, each in one transaction. A step that was released is never changed.
 *
 * The normal fragment costs no row: a layout names a set of clouds, the salt gives the order on it (FORMAT
 * 9.4), and only what deviates has a deviation row.
 *
 * `mixed` names versions whose segments may have other layouts than the version's own.
 *
 * `usage` is what each tenant has. Triggers keep it, in the very transactions that change the rows it counts:
 * whatever is repeated, rolled back or cut off by a crash is counted once or not at all. */
#include "cat_internal.h"
#include "shares.h"

enum { FIRST = 1 };

static const char first[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cloud (cloud_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,"
    " generation INTEGER NOT NULL, state INTEGER NOT NULL, lost INTEGER NOT NULL, identity BLOB NOT NULL);"
    "CREATE TABLE layout (layout_id INTEGER PRIMARY KEY, k INTEGER NOT NULL, n INTEGER NOT NULL,"
    " clouds BLOB NOT NULL, lost INTEGER NOT NULL, UNIQUE (k, n, clouds));"
    "CREATE TABLE bkey (epoch INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE vault (vault_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, vault BLOB NOT NULL UNIQUE,"
    " record BLOB NOT NULL, backup BLOB NOT NULL, chain_count INTEGER NOT NULL, chain_hash BLOB NOT NULL);"
    "CREATE TABLE chain (vault_no INTEGER NOT NULL, idx INTEGER NOT NULL, seal BLOB NOT NULL,"
    " PRIMARY KEY (vault_no, idx)) WITHOUT ROWID;"
    "CREATE TABLE entry (entry_no INTEGER PRIMARY KEY, vault_no INTEGER NOT NULL, path BLOB NOT NULL,"
    " number INTEGER NOT NULL, kind INTEGER NOT NULL, version_no INTEGER, sequence INTEGER NOT NULL,"
    " size INTEGER NOT NULL, m BLOB NOT NULL, private BLOB NOT NULL, seal BLOB NOT NULL,"
    " created INTEGER NOT NULL, UNIQUE (vault_no, path));"
    "CREATE INDEX entry_version ON entry (version_no) WHERE version_no IS NOT NULL;"
    "CREATE TABLE version (version_no INTEGER PRIMARY KEY, vault BLOB NOT NULL, object BLOB NOT NULL,"
    " version BLOB NOT NULL, put_key BLOB NOT NULL, base INTEGER NOT NULL, size INTEGER NOT NULL,"
    " segments INTEGER NOT NULL, layout_id INTEGER NOT NULL, created INTEGER NOT NULL, state INTEGER NOT "
    "NULL,"
    " acked INTEGER NOT NULL, UNIQUE (version, object));"
    "CREATE TABLE backup (version_no INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE segment (segment_id INTEGER PRIMARY KEY, version_no INTEGER NOT NULL,"
    " layout_id INTEGER NOT NULL, incarnation INTEGER NOT NULL, salt BLOB NOT NULL, seq INTEGER, size "
    "INTEGER,"
    " digest BLOB, last INTEGER, off INTEGER);"
    "CREATE UNIQUE INDEX segment_of ON segment (version_no, seq);"
    "CREATE TABLE deviation (segment_id INTEGER NOT NULL, frag INTEGER NOT NULL, cloud_id INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, state INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " PRIMARY KEY (segment_id, frag)) WITHOUT ROWID;"
    "CREATE TABLE deadkey (segment_id INTEGER PRIMARY KEY, layout_id INTEGER NOT NULL,"
    " incarnation INTEGER NOT NULL, salt BLOB NOT NULL, absent INTEGER NOT NULL, round INTEGER NOT NULL);"
    "CREATE INDEX dead_open ON deadkey (round, segment_id);"
    "CREATE TABLE request (put_key BLOB PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " version_no INTEGER NOT NULL, seal BLOB NOT NULL, number INTEGER NOT NULL, chain INTEGER NOT NULL,"
    " head BLOB NOT NULL, acked INTEGER NOT NULL, margin_full INTEGER NOT NULL, durable_min INTEGER NOT NULL,"
    " n INTEGER NOT NULL, copies INTEGER NOT NULL, clouds INTEGER NOT NULL, degraded BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX request_open ON request (state) WHERE state = 1;"
    "CREATE TABLE outbox (log_seq INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE log (log_seq INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE log_debt (cloud_id INTEGER NOT NULL, log_seq INTEGER NOT NULL,"
    " PRIMARY KEY (cloud_id, log_seq)) WITHOUT ROWID;";

/* -- 2 to 3: tenants ------------------------------------------------------------------------------------- */

/* Ids hold within a tenant, in new tables: SQLite cannot change what is unique. A request's number tells
 * which put key is the oldest. What one user's gateway has is the owner's. */
static const char tenants[] =
    "CREATE TABLE new_vault (vault_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, vault BLOB NOT NULL,"
    " record BLOB NOT NULL, backup BLOB NOT NULL, chain_count INTEGER NOT NULL, chain_hash BLOB NOT NULL,"
    " UNIQUE (tenant, vault));"
    "INSERT INTO new_vault (vault_no, tenant, vault, record, backup, chain_count, chain_hash)"
    " SELECT vault_no, tenant, vault, record, backup, chain_count, chain_hash FROM vault;"
    "DROP TABLE vault; ALTER TABLE new_vault RENAME TO vault;"
    "CREATE TABLE new_version (version_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, vault BLOB NOT NULL,"
    " object BLOB NOT NULL, version BLOB NOT NULL, put_key BLOB NOT NULL, base INTEGER NOT NULL,"
    " size INTEGER NOT NULL, segments INTEGER NOT NULL, layout_id INTEGER NOT NULL,"
    " created INTEGER NOT NULL, state INTEGER NOT NULL, acked INTEGER NOT NULL,"
    " UNIQUE (tenant, version, object));"
    "INSERT INTO new_version (version_no, tenant, vault, object, version, put_key, base, size, segments,"
    " layout_id, created, state, acked) SELECT version_no, 0, vault, object, version, put_key, base, size,"
    " segments, layout_id, created, state, acked FROM version;"
    "DROP TABLE version; ALTER TABLE new_version RENAME TO version;"
    "CREATE TABLE new_request (request_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL,"
    " put_key BLOB NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL, version_no INTEGER NOT NULL,"
    " seal BLOB NOT NULL, number INTEGER NOT NULL, chain INTEGER NOT NULL, head BLOB NOT NULL,"
    " acked INTEGER NOT NULL, margin_full INTEGER NOT NULL, durable_min INTEGER NOT NULL,"
    " n INTEGER NOT NULL, copies INTEGER NOT NULL, clouds INTEGER NOT NULL, degraded BLOB NOT NULL,"
    " UNIQUE (tenant, put_key));"
    "INSERT INTO new_request (tenant, put_key, kind, state, version_no, seal, number, chain, head, acked,"
    " margin_full, durable_min, n, copies, clouds, degraded) SELECT 0, put_key, kind, state, version_no,"
    " seal, number, chain, head, acked, margin_full, durable_min, n, copies, clouds, degraded FROM request;"
    "DROP TABLE request; ALTER TABLE new_request RENAME TO request;"
    "CREATE INDEX request_given_up ON request (tenant, request_no) WHERE state = 2;"
    "ALTER TABLE deadkey ADD COLUMN tenant INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deadkey ADD COLUMN size INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE tenant (tenant INTEGER PRIMARY KEY, revision INTEGER NOT NULL, name TEXT NOT NULL UNIQUE,"
    " state INTEGER NOT NULL, verifier BLOB NOT NULL, bytes INTEGER NOT NULL, objects INTEGER NOT NULL,"
    " uploads INTEGER NOT NULL, requests INTEGER NOT NULL);"
    "CREATE TABLE usage (tenant INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, objects INTEGER NOT NULL,"
    " names INTEGER NOT NULL, uploads INTEGER NOT NULL, vaults INTEGER NOT NULL, given_up INTEGER NOT NULL,"
    " dead INTEGER NOT NULL);"
    "INSERT INTO usage SELECT 0, (SELECT COALESCE(SUM(size), 0) FROM segment)"
    " + (SELECT COALESCE(SUM(length(path) + length(private)), 0) FROM entry)"
    " + (SELECT COALESCE(SUM(length(sealed)), 0) FROM backup),"
    " (SELECT COUNT(*) FROM version WHERE state<>4), (SELECT COUNT(*) FROM entry WHERE kind=1),"
    " (SELECT COUNT(*) FROM request WHERE state=1),"
    " (SELECT COUNT(*) FROM vault), (SELECT COUNT(*) FROM request WHERE state=2), 0;";

#define IS(condition)    GW_SQL_IS(condition)
#define OF_VERSION(row)  "(SELECT tenant FROM version WHERE version_no=" row ".version_no)"
#define OF_VAULT(row)    "(SELECT tenant FROM vault WHERE vault_no=" row ".vault_no)"
#define ENTRY_BYTES(row) "length(" row ".path)+length(" row ".private)"
/* A row of the ledger counts while its fragments may lie on clouds. */
#define UNSWEPT(row) IS(row ".round<2")
_Static_assert(QC_GW_SWEEP_ROUNDS == 2, "UNSWEPT");

#define TRIGGER(name, event, whose, what)                                                                    \
    "CREATE TRIGGER " name " AFTER " event " BEGIN UPDATE usage SET " what " WHERE tenant=" whose "; END;"

/* clang-format off */
static const char triggers[] =
    /* bytes: segments that are done (the others have no size), names, private parts, backup data */
    TRIGGER("segment_in", "INSERT ON segment", OF_VERSION("NEW"),
            "bytes=bytes+COALESCE(NEW.size, 0)")
    TRIGGER("segment_size", "UPDATE OF size ON segment", OF_VERSION("NEW"),
            "bytes=bytes+COALESCE(NEW.size, 0)-COALESCE(OLD.size, 0)")
    TRIGGER("segment_out", "DELETE ON segment", OF_VERSION("OLD"),
            "bytes=bytes-COALESCE(OLD.size, 0)")
    TRIGGER("entry_in", "INSERT ON entry", OF_VAULT("NEW"),
            "bytes=bytes+" ENTRY_BYTES("NEW") ", names=names+" IS("NEW.kind=1"))
    TRIGGER("entry_change", "UPDATE OF kind, path, private ON entry", OF_VAULT("NEW"),
            "bytes=bytes+" ENTRY_BYTES("NEW") "-(" ENTRY_BYTES("OLD") "),"
            " names=names+" IS("NEW.kind=1") "-" IS("OLD.kind=1"))
    TRIGGER("backup_in", "INSERT ON backup", OF_VERSION("NEW"),
            "bytes=bytes+length(NEW.sealed)")
    TRIGGER("backup_change", "UPDATE OF sealed ON backup", OF_VERSION("NEW"),
            "bytes=bytes+length(NEW.sealed)-length(OLD.sealed)")
    /* objects: versions that are not dead; names: those that point at one */
    TRIGGER("version_in", "INSERT ON version", "NEW.tenant",
            "objects=objects+" IS("NEW.state<>4"))
    TRIGGER("version_state", "UPDATE OF state ON version", "NEW.tenant",
            "objects=objects+" IS("NEW.state<>4") "-" IS("OLD.state<>4"))
    TRIGGER("version_out", "DELETE ON version", "OLD.tenant",
            "objects=objects-" IS("OLD.state<>4"))
    /* uploads that are open, put keys that were given up */
    TRIGGER("request_in", "INSERT ON request", "NEW.tenant",
            "uploads=uploads+" IS("NEW.state=1") ", given_up=given_up+" IS("NEW.state=2"))
    TRIGGER("request_state", "UPDATE OF state ON request", "NEW.tenant",
            "uploads=uploads+" IS("NEW.state=1") "-" IS("OLD.state=1")
            ", given_up=given_up+" IS("NEW.state=2") "-" IS("OLD.state=2"))
    TRIGGER("request_out", "DELETE ON request", "OLD.tenant",
            "uploads=uploads-" IS("OLD.state=1") ", given_up=given_up-" IS("OLD.state=2"))
    TRIGGER("vault_in", "INSERT ON vault", "NEW.tenant",
            "vaults=vaults+1")
    /* dead: what the sweep has still to find absent */
    TRIGGER("dead_in", "INSERT ON deadkey", "NEW.tenant",
            "dead=dead+NEW.size*" UNSWEPT("NEW"))
    TRIGGER("dead_round", "UPDATE OF round ON deadkey", "NEW.tenant",
            "dead=dead+NEW.size*(" UNSWEPT("NEW") "-" UNSWEPT("OLD") ")")
    TRIGGER("dead_out", "DELETE ON deadkey", "OLD.tenant",
            "dead=dead-OLD.size*" UNSWEPT("OLD"));

/* clang-format on */

/* -- 6 to 7: the queue of repairs, findings, scrub ------------------------------------------------------- */

/* slack: of a row that does not count, n - k less the fragments of its segment that do not: the same in all
 * of these rows. resting: it was tried, and is not tried again before the others were. */
static const char queue[] =
    "ALTER TABLE deviation ADD COLUMN slack INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deviation ADD COLUMN resting INTEGER NOT NULL DEFAULT 0;"
    "UPDATE deviation SET slack=(SELECT l.n-l.k FROM segment s JOIN layout l ON l.layout_id=s.layout_id"
    " WHERE s.segment_id=deviation.segment_id)-(SELECT COUNT(*) FROM deviation d"
    " WHERE d.segment_id=deviation.segment_id AND d.state<>3)"
    " WHERE state<>3 AND segment_id IN (SELECT segment_id FROM segment);"
    "CREATE INDEX mend_worst ON deviation (cloud_id, slack, seen, segment_id) WHERE state<>3 AND resting=0;"
    "CREATE INDEX mend_resting ON deviation (cloud_id, segment_id) WHERE state<>3 AND resting=1;";

/* A finding is never the reason of anything: deviation and log_debt are. ended: 0 while it stands. */
static const char scrub[] =
    "CREATE TABLE finding (finding_no INTEGER PRIMARY KEY, cloud_id INTEGER NOT NULL,"
    " object_key TEXT NOT NULL, kind INTEGER NOT NULL, source INTEGER NOT NULL, pass INTEGER NOT NULL,"
    " found INTEGER NOT NULL, seen INTEGER NOT NULL, ended INTEGER NOT NULL, UNIQUE (cloud_id, object_key));"
    "CREATE INDEX finding_open ON finding (cloud_id, kind) WHERE ended=0;"
    "CREATE TABLE scrub (cloud_id INTEGER NOT NULL, depth INTEGER NOT NULL, wanted INTEGER NOT NULL,"
    " pass INTEGER NOT NULL, stage INTEGER NOT NULL, at TEXT NOT NULL, next INTEGER NOT NULL,"
    " upto INTEGER NOT NULL, upto_log INTEGER NOT NULL, began INTEGER NOT NULL, spent INTEGER NOT NULL,"
    " objects INTEGER NOT NULL, bytes INTEGER NOT NULL, found INTEGER NOT NULL, last_began INTEGER NOT NULL,"
    " last_ended INTEGER NOT NULL, last_spent INTEGER NOT NULL, last_objects INTEGER NOT NULL,"
    " last_bytes INTEGER NOT NULL, last_found INTEGER NOT NULL, PRIMARY KEY (cloud_id, depth));"
    "CREATE TABLE scrub_seen (cloud_id INTEGER NOT NULL, chunk INTEGER NOT NULL, bits BLOB NOT NULL,"
    " PRIMARY KEY (cloud_id, chunk));";

/* -- 7 to 8: packs of the log and notes on the clouds ---------------------------------------------------- */

static const char snapshots[] =
    "CREATE TABLE snapshot (incarnation INTEGER NOT NULL, serial INTEGER NOT NULL, notes INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, bytes INTEGER NOT NULL, state INTEGER NOT NULL,"
    " round INTEGER NOT NULL, clouds BLOB NOT NULL, PRIMARY KEY (incarnation, serial));"
    "CREATE INDEX snapshot_last ON snapshot (state, notes, last);";

/* -- 8 to 9: clouds come and go ------------------------------------------------------------------------- */

static const char clouds[] =
    "ALTER TABLE cloud ADD COLUMN weight INTEGER NOT NULL DEFAULT 100;"
    "ALTER TABLE cloud ADD COLUMN provider TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cloud ADD COLUMN region TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cloud ADD COLUMN jurisdiction TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cloud ADD COLUMN target INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE layout_cloud (cloud_id INTEGER NOT NULL, layout_id INTEGER NOT NULL,"
    " PRIMARY KEY (cloud_id, layout_id)) WITHOUT ROWID;"
    "CREATE INDEX segment_layout ON segment (layout_id, segment_id);"
    "CREATE INDEX dead_layout ON deadkey (layout_id, segment_id);"
    "CREATE INDEX deviation_cloud ON deviation (cloud_id, segment_id);"
    "CREATE TABLE mixed (version_no INTEGER PRIMARY KEY);"
    "INSERT INTO mixed SELECT DISTINCT s.version_no FROM segment s JOIN version v"
    " ON v.version_no=s.version_no WHERE s.layout_id<>v.layout_id;";

/* Which clouds each layout names; the rules as they were. */
static qc_rc note_layouts(struct gw_cat *c, struct qc_err *err)
{
    uint64_t layout = 0;

    QC_TRY(gw_meta_set(c, "domain", GW_DOMAIN_CLOUD, err));
    QC_TRY(gw_meta_set(c, "shares", GW_SHARES_SETTLED, err));
    for (;;) { /* ends: the number grows */
        QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
        struct gw_log_layout l;
        QC_TRY(GW_QUERY(c, LAYOUT_AFTER, &rows, err, QC_VI(layout)));
        if (!rows.row)
            return QC_OK;
        QC_TRY(qc_col_u64(rows.s, 0, &layout, err));
        QC_TRY(gw_col_layout(rows.s, 1, &l, err));
        gw_rows_end(&rows);
        for (unsigned i = 0; i < l.n; i++)
            QC_TRY(GW_RUN(c, LAYOUT_CLOUD_ADD, err, QC_VI(l.clouds[i]), QC_VI(layout)));
    }
}

/* -- 10 to 11: bundles ----------------------------------------------------------------------------------- */

/* A bundle is nobody's version. */
static const char bundles[] = "ALTER TABLE version ADD COLUMN holder INTEGER NOT NULL DEFAULT 0;"
                              "ALTER TABLE version ADD COLUMN start INTEGER NOT NULL DEFAULT 0;"
                              "ALTER TABLE version ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;"
                              "CREATE INDEX version_holder ON version (holder) WHERE holder<>0;" TRIGGER(
                                  "version_bundle", "UPDATE OF bundle ON version", "NEW.tenant",
                                  "objects=objects-NEW.bundle+OLD.bundle");

/* -- 13 to 14: what is dead in bundles ------------------------------------------------------------------- */

/* gone: of a bundle, bytes of those N that have gone from it, purged or put into another one. */
static const char repacks[] =
    "ALTER TABLE version ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;"
    "UPDATE version SET gone=(SELECT CAST(COALESCE(SUM(v.size), 0) AS BIGINT) FROM version v"
    " WHERE v.holder=version.version_no AND v.state=4) WHERE bundle=1;"
    "CREATE INDEX version_gone ON version (gone) WHERE bundle=1 AND gone>0;"
    "CREATE INDEX version_half ON version (tenant, vault, version_no)"
    " WHERE bundle=1 AND gone>0 AND gone*2>=size;"
    "CREATE INDEX version_repack ON version (version_no) WHERE bundle=1 AND state=1;";

/* -- all ------------------------------------------------------------------------------------------------- */

enum { PARTS = 2 };
static const char *const raises[][PARTS] = {
    /* 1 to 2: repair */
    { "ALTER TABLE deviation ADD COLUMN home INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE deviation ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;"
      "UPDATE deviation SET home=cloud_id, incarnation=(SELECT s.incarnation FROM segment s"
      " WHERE s.segment_id=deviation.segment_id);"
      "CREATE TABLE trial (segment_id INTEGER NOT NULL, frag INTEGER NOT NULL, cloud_id INTEGER NOT NULL,"
      " attempt INTEGER NOT NULL, incarnation INTEGER NOT NULL, PRIMARY KEY (segment_id, frag)) WITHOUT "
      "ROWID;"
      "CREATE TABLE deadfrag (dead_no INTEGER PRIMARY KEY, segment_id INTEGER NOT NULL, frag INTEGER NOT "
      "NULL,"
      " cloud_id INTEGER NOT NULL, attempt INTEGER NOT NULL, incarnation INTEGER NOT NULL, salt BLOB NOT "
      "NULL,"
      " round INTEGER NOT NULL, open INTEGER NOT NULL,"
      " UNIQUE (segment_id, frag, cloud_id, attempt, incarnation));"
      "CREATE INDEX deadfrag_open ON deadfrag (dead_no) WHERE open = 1;"
      "ALTER TABLE cloud ADD COLUMN adopting INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE cloud ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;" },
    /* 2 to 3 */
    { tenants, triggers },
    /* 3 to 4: what does not count on a cloud, without a look at all that lies elsewhere */
    { "CREATE INDEX uncounted_by_cloud ON deviation (cloud_id, segment_id) WHERE state <> 3;" },
    /* 4 to 5: puts that did not wait for all */
    { "ALTER TABLE request ADD COLUMN following BLOB NOT NULL DEFAULT x'';" },
    /* 5 to 6: whose a reserved segment is, where several gateways have one catalogue (0: there is one) */
    { "ALTER TABLE segment ADD COLUMN holder INTEGER NOT NULL DEFAULT 0;" },
    /* 6 to 7: what does not count is mended by itself, and looked for */
    { queue, scrub },
    /* 7 to 8 */
    { snapshots },
    /* 8 to 9: clouds that come and go; which layouts name a cloud, which segments lie by a layout */
    { clouds },
    /* 9 to 10: what is reserved, without a look at all segments */
    { "CREATE INDEX segment_reserved ON segment (segment_id) WHERE seq IS NULL;" },
    /* 10 to 11: many N in one segment */
    { bundles },
    /* 11 to 12: uploads that go on: whose segments and commit count, and when one was last heard of */
    { "ALTER TABLE request ADD COLUMN run INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE request ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;"
      "CREATE INDEX request_open ON request (heard) WHERE state=1;" },
    /* 12 to 13: versions go for good, or are kept until a time */
    { "ALTER TABLE version ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;",
      TRIGGER("backup_out", "DELETE ON backup", OF_VERSION("OLD"), "bytes=bytes-length(OLD.sealed)") },
    /* 13 to 14: what lives in half dead bundles is put into others */
    { repacks },
    /* 14 to 15: objects that were moved to another path */
    { "CREATE TABLE renamed (vault_no INTEGER NOT NULL, object BLOB NOT NULL, path BLOB NOT NULL,"
      " PRIMARY KEY (vault_no, object)) WITHOUT ROWID;" },
    /* 15 to 16: how often a tenant moved names; what the log has of before is not counted */
    { "ALTER TABLE usage ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;" },
};
enum { SCHEMA = FIRST + (int)(sizeof raises / sizeof *raises), CLOUDS_FROM = 8 };

/* Durable or not done. */
static qc_rc raise_schema(struct gw_cat *c, uint32_t from, uint32_t to, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_ASSERT(to <= SCHEMA);
    QC_TRY(gw_cat_begin(c, &tx, err));
    for (uint32_t version = from; version < to; version++) {
        if (version == 0)
            QC_TRY(qc_db_exec(c->db, first, err));
        for (unsigned i = 0; version > 0 && i < PARTS; i++)
            if (raises[version - FIRST][i] != NULL)
                QC_TRY(qc_db_exec(c->db, raises[version - FIRST][i], err));
        if (version == CLOUDS_FROM)
            QC_TRY(note_layouts(c, err));
    }
    QC_TRY(qc_db_set_user_version(c->db, to, err));
    return gw_cat_commit(c, &tx, err);
}

/* Programs of an older version do not know what the newer schema means. */
static qc_rc be_alone(struct gw_cat *c, struct qc_err *err)
{
    bool alone;

    QC_TRY(gw_cat_attend(c, &alone, err));
    if (!alone)
        return QC_FAIL(
            err, QC_LOCKED,
            "another gateway has this catalogue open, which is to be brought up to date: stop it first");
    return QC_OK;
}

qc_rc gw_cat_schema(struct gw_cat *c, const char *path, struct qc_err *err)
{
    uint32_t version;

    QC_TRY(qc_db_user_version(c->db, &version, err));
    if (version > SCHEMA)
        return QC_FAIL(err, QC_NEWER, "catalogue: schema %" PRIu32 " needs a newer program", version);
    if (version > 0 && version < SCHEMA)
        QC_TRY(be_alone(c, err));
    if (version > 0 && version < SCHEMA && path != NULL)
        QC_TRY(gw_cat_keep(c, path, version, err));
    if (version == 0) /* nothing is in it: all steps at once, which is six times fewer syncs */
        return raise_schema(c, 0, SCHEMA, err);
    for (; version < SCHEMA; version++)
        QC_TRY_AS(raise_schema(c, version, version + 1, err), err, "schema %" PRIu32, version + 1);
    return QC_OK;
}
