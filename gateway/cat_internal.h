/* The catalogue's object and its statements, for the cat_*.c files and catalogue.c. */
#pragma once
#include <inttypes.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "catalogue.h"

/* name, statement; prepared at first use, kept. Parameters and columns are explained where they are used. */
#define GW_SQL_TABLE(X)                                                                                      \
    X(META_SET, "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value=?2")  \
    X(LOOK, "SELECT value FROM meta WHERE name='catalogue'")                                                 \
    X(META_GET, "SELECT value FROM meta WHERE name=?1")                                                      \
    X(CLOUD_PUT, "INSERT INTO cloud (cloud_id, name, url, generation, state, lost, identity, weight,"        \
                 " provider, region, jurisdiction, target)"                                                  \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                              \
    X(CLOUD_ROWS, "SELECT cloud_id, name, url, generation, state, weight, provider, region, jurisdiction,"   \
                  " target FROM cloud WHERE state<>3 ORDER BY cloud_id")                                     \
    X(CLOUD_LAST, "SELECT MAX(cloud_id) FROM cloud")                                                         \
    X(CLOUD_STATE, "UPDATE cloud SET state=?2, target=?3 WHERE cloud_id=?1")                                 \
    X(CLOUD_RETIRED, "UPDATE cloud SET state=3, lost=1, identity=x'', name=name || '~' || cloud_id"          \
                     " WHERE cloud_id=?1 AND state<>3")                                                      \
    X(CLOUD_LABELS, "UPDATE cloud SET weight=?2, provider=?3, region=?4, jurisdiction=?5 WHERE cloud_id=?1") \
    X(CLOUD_SHOWS, "UPDATE cloud SET identity=?2 WHERE cloud_id=?1")                                         \
    X(CLOUD_DEBTS_GO, "DELETE FROM log_debt WHERE cloud_id=?1")                                              \
    X(CLOUD_FINDINGS_GO, "DELETE FROM finding WHERE cloud_id=?1")                                            \
    X(CLOUD_SCRUB_GOES, "DELETE FROM scrub WHERE cloud_id=?1")                                               \
    X(LOG_OWED_MOST, "SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM log_debt d JOIN cloud c"    \
                     " ON c.cloud_id=d.cloud_id WHERE c.state IN (1, 2) AND d.cloud_id<>?1"                  \
                     " GROUP BY d.log_seq) AS owed")                                                         \
    X(ON_CLOUD, "SELECT MIN(segment_id) FROM (SELECT (SELECT s.segment_id FROM segment s"                    \
                " WHERE s.layout_id=lc.layout_id AND s.segment_id>?2"                                        \
                " AND NOT EXISTS (SELECT 1 FROM deviation d WHERE d.segment_id=s.segment_id"                 \
                " AND d.home=?1 AND d.cloud_id<>?1) ORDER BY s.segment_id LIMIT 1) AS segment_id"            \
                " FROM layout_cloud lc WHERE lc.cloud_id=?1 UNION ALL"                                       \
                " SELECT MIN(d.segment_id) FROM deviation d WHERE d.cloud_id=?1 AND d.segment_id>?2"         \
                " UNION ALL SELECT MIN(t.segment_id) FROM trial t WHERE t.cloud_id=?1"                       \
                " AND t.segment_id>?2) AS found")                                                            \
    X(ON_CLOUD_COUNT,                                                                                        \
      "SELECT (SELECT COUNT(*) FROM segment s JOIN layout_cloud lc"                                          \
      " ON lc.layout_id=s.layout_id WHERE lc.cloud_id=?1 AND NOT EXISTS"                                     \
      " (SELECT 1 FROM deviation d WHERE d.segment_id=s.segment_id AND d.home=?1))"                          \
      " + (SELECT COUNT(*) FROM deviation WHERE cloud_id=?1),"                                               \
      " (SELECT " GW_SQL_SUM(                                                                                \
          "(COALESCE(s.size, 0)+l.k-1)/l.k") " FROM segment s"                                               \
                                             " JOIN layout_cloud lc ON lc.layout_id=s.layout_id"             \
                                             " JOIN layout l ON l.layout_id=s.layout_id WHERE "              \
                                             "lc.cloud_id=?1 AND NOT EXISTS"                                 \
                                             " (SELECT 1 FROM deviation d WHERE d.segment_id=s.segment_id "  \
                                             "AND d.home=?1))"                                               \
                                             " + (SELECT " GW_SQL_SUM(                                       \
                                                 "(COALESCE(s.size, 0)+l.k-1)/l.k") " FROM deviation d"      \
                                                                                    " JOIN segment s ON "    \
                                                                                    "s.segment_id=d."        \
                                                                                    "segment_id"             \
                                                                                    " JOIN layout l ON "     \
                                                                                    "l.layout_id=s.layout_"  \
                                                                                    "id WHERE "              \
                                                                                    "d.cloud_id=?1)")        \
    X(DEAD_ON_CLOUD, "SELECT (SELECT COUNT(*) FROM deadkey k JOIN layout_cloud lc"                           \
                     " ON lc.layout_id=k.layout_id WHERE lc.cloud_id=?1 AND k.round<?2)"                     \
                     " + (SELECT COUNT(*) FROM deadfrag WHERE open=1 AND cloud_id=?1)")                      \
    X(DEAD_FRAGS_GO, "UPDATE deadfrag SET open=0 WHERE cloud_id=?1")                                         \
    X(LAYOUT_CLOUD_ADD, "INSERT INTO layout_cloud (cloud_id, layout_id) VALUES (?1, ?2)"                     \
                        " ON CONFLICT DO NOTHING")                                                           \
    X(LAYOUTS_BOTH, "SELECT COUNT(*) FROM layout_cloud a JOIN layout_cloud b ON a.layout_id=b.layout_id"     \
                    " WHERE a.cloud_id=?1 AND b.cloud_id=?2 AND EXISTS"                                      \
                    " (SELECT 1 FROM segment s WHERE s.layout_id=a.layout_id)")                              \
    X(MOVED_BOTH, "SELECT COUNT(*) FROM deviation d WHERE d.cloud_id=?1 AND (EXISTS"                         \
                  " (SELECT 1 FROM deviation o WHERE o.segment_id=d.segment_id AND o.cloud_id=?2)"           \
                  " OR EXISTS (SELECT 1 FROM segment s JOIN layout_cloud lc ON lc.layout_id=s.layout_id"     \
                  " WHERE s.segment_id=d.segment_id AND lc.cloud_id=?2 AND NOT EXISTS"                       \
                  " (SELECT 1 FROM deviation o WHERE o.segment_id=d.segment_id AND o.home=?2)))")            \
    X(TRIED_BOTH, "SELECT COUNT(*) FROM trial d WHERE d.cloud_id=?1 AND (EXISTS"                             \
                  " (SELECT 1 FROM deviation o WHERE o.segment_id=d.segment_id AND o.frag<>d.frag"           \
                  " AND o.cloud_id=?2) OR EXISTS"                                                            \
                  " (SELECT 1 FROM trial o WHERE o.segment_id=d.segment_id AND o.cloud_id=?2) OR EXISTS"     \
                  " (SELECT 1 FROM segment s JOIN layout_cloud lc ON lc.layout_id=s.layout_id"               \
                  " WHERE s.segment_id=d.segment_id AND lc.cloud_id=?2 AND NOT EXISTS"                       \
                  " (SELECT 1 FROM deviation o WHERE o.segment_id=d.segment_id AND o.home=?2)))")            \
    X(CLOUD_IDENTITY, "SELECT identity FROM cloud WHERE cloud_id=?1")                                        \
    X(CLOUD_LIFE, "SELECT generation, adopting, logged FROM cloud WHERE cloud_id=?1")                        \
    X(CLOUD_ADOPT, "UPDATE cloud SET adopting=?2 WHERE cloud_id=?1")                                         \
    X(CLOUD_MOVED, "UPDATE cloud SET url=?2 WHERE cloud_id=?1")                                              \
    X(CLOUD_LOGGED, "UPDATE cloud SET logged=?2 WHERE cloud_id=?1")                                          \
    X(CLOUD_ADOPTED, "UPDATE cloud SET generation=?2, identity=?3, adopting=0, lost=0 WHERE cloud_id=?1")    \
    X(CLOUD_LOST, "UPDATE cloud SET lost=?2 WHERE cloud_id=?1 AND lost<>?2")                                 \
    X(LAYOUT_FIND, "SELECT layout_id FROM layout WHERE k=?1 AND n=?2 AND clouds=?3")                         \
    X(LAYOUT_ADD, "INSERT INTO layout (k, n, clouds, lost) VALUES (?1, ?2, ?3, 0) RETURNING layout_id")      \
    X(LAYOUT_AFTER,                                                                                          \
      "SELECT layout_id, k, n, clouds FROM layout WHERE layout_id>?1 ORDER BY layout_id LIMIT 1")            \
    X(LAYOUT_GET, "SELECT k, n, clouds FROM layout WHERE layout_id=?1")                                      \
    X(LAYOUT_SOUND, "SELECT 1 FROM segment s JOIN version v ON v.version_no=s.version_no"                    \
                    " WHERE s.layout_id=?1 AND s.seq IS NOT NULL AND v.state=3 AND NOT EXISTS"               \
                    " (SELECT 1 FROM deviation d WHERE d.segment_id=s.segment_id) LIMIT 1")                  \
    X(DEVIANTS_AFTER, "SELECT d.segment_id, s.layout_id, d.cloud_id, d.home, d.state"                        \
                      " FROM deviation d CROSS JOIN segment s CROSS JOIN version v WHERE d.segment_id>?1"    \
                      " AND s.segment_id=d.segment_id AND s.seq IS NOT NULL AND v.version_no=s.version_no"   \
                      " AND v.state=3 ORDER BY d.segment_id LIMIT ?2")                                       \
    X(CLOUDS_LOST, "SELECT cloud_id FROM cloud WHERE lost=1 AND state<>3")                                   \
    X(LAYOUTS_LOST, "UPDATE layout SET lost=(SELECT COUNT(*) FROM layout_cloud lc JOIN cloud c"              \
                    " ON c.cloud_id=lc.cloud_id WHERE lc.layout_id=layout.layout_id AND c.lost=1)")          \
    X(BKEY_PUT, "INSERT INTO bkey (epoch, sealed) VALUES (?1, ?2)")                                          \
    X(BKEY_GET, "SELECT sealed FROM bkey WHERE epoch=?1")                                                    \
    X(VAULT_GET, "SELECT vault_no, chain_count, chain_hash FROM vault WHERE tenant=?1 AND vault=?2")         \
    X(VAULT_BYTES, "SELECT record, backup FROM vault WHERE vault_no=?1")                                     \
    X(VAULT_BACKUP, "UPDATE vault SET backup=?2 WHERE vault_no=?1")                                          \
    X(VAULT_ADD, "INSERT INTO vault (tenant, vault, record, backup, chain_count, chain_hash)"                \
                 " VALUES (?1, ?2, ?3, ?4, 0, ?5)")                                                          \
    X(VAULT_HEAD, "UPDATE vault SET chain_count=?2, chain_hash=?3 WHERE vault_no=?1")                        \
    X(VAULTS, "SELECT vault FROM vault WHERE tenant=?1 ORDER BY vault")                                      \
    X(CHAIN_ADD, "INSERT INTO chain (vault_no, idx, seal) VALUES (?1, ?2, ?3)")                              \
    X(CHAIN_GET, "SELECT seal FROM chain WHERE vault_no=?1 AND idx=?2")                                      \
    X(CHAIN, "SELECT seal FROM chain WHERE vault_no=?1 AND idx>?2 ORDER BY idx LIMIT ?3")                    \
    X(ENTRY_NUMBER, "SELECT number FROM entry WHERE vault_no=?1 AND path=?2")                                \
    X(ENTRY_GET, GW_SQL_ENTRY " WHERE e.vault_no=?1 AND e.path=?2")                                          \
    X(ENTRY_LIST, GW_SQL_ENTRY " WHERE e.vault_no=?1 AND e.path>=?2 AND e.path<?3"                           \
                               " AND (e.kind=1 OR ?4=1) ORDER BY e.path LIMIT ?5")                           \
    X(ENTRY_PUT,                                                                                             \
      "INSERT INTO entry (vault_no, path, number, kind, version_no, sequence, size, m, private,"             \
      " seal, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"                                \
      " ON CONFLICT (vault_no, path) DO UPDATE SET number=?3, kind=?4, version_no=?5, sequence=?6,"          \
      " size=?7, m=?8, private=?9, seal=?10, created=?11")                                                   \
    X(ENTRY_NEW, "INSERT INTO entry (vault_no, path, number, kind, version_no, sequence, size, m, private,"  \
                 " seal, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"                     \
                 " ON CONFLICT (vault_no, path) DO NOTHING")                                                 \
    X(RENAMED_PUT, "INSERT INTO renamed (vault_no, object, path) VALUES (?1, ?2, ?3)"                        \
                   " ON CONFLICT (vault_no, object) DO UPDATE SET path=?3")                                  \
    X(RENAMED_GET, "SELECT path FROM renamed WHERE vault_no=?1 AND object=?2")                               \
    X(VERSION_GET, GW_SQL_VERSION " WHERE tenant=?1 AND version=?3 AND object=?2")                           \
    X(VERSION_NO, GW_SQL_VERSION " WHERE version_no=?1")                                                     \
    X(VERSION_ADD,                                                                                           \
      "INSERT OR FAIL INTO version (vault, object, version, put_key, base, size, segments, layout_id,"       \
      " created, state, acked, tenant, holder, start)"                                                       \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING version_no")          \
    X(VERSION_STATE, "UPDATE version SET state=?2 WHERE version_no=?1")                                      \
    X(VERSION_LAYOUT, "UPDATE version SET layout_id=?2 WHERE version_no=?1")                                 \
    X(VERSION_ACKED, "UPDATE version SET acked=?2 WHERE version_no=?1")                                      \
    X(VERSION_REACHED, "UPDATE version SET acked=?3 WHERE version_no="                                       \
                       "(SELECT version_no FROM request WHERE tenant=?1 AND put_key=?2)")                    \
    X(VERSION_LIVE, "UPDATE version SET state=3, size=?2, segments=?3, created=?4 WHERE version_no=?1")      \
    X(MEMBER_LIVE,                                                                                           \
      "UPDATE OR FAIL version SET state=3, size=?2, segments=0, created=?3, acked=?4"                        \
      " WHERE version_no=?1 AND tenant=?5 AND object=?6 AND version=?7 AND holder=?8 AND start=?9")          \
    X(VERSION_BUNDLE, "UPDATE version SET bundle=1 WHERE version_no=?1")                                     \
    X(VERSION_IN, "UPDATE version SET holder=?2, start=?3 WHERE version_no=?1")                              \
    X(VERSION_KEEP, "UPDATE version SET kept=?2 WHERE version_no=?1 AND kept<?2")                            \
    X(CREATED_LAST, "SELECT COALESCE(MAX(x.created), 0) FROM (SELECT MAX(created) AS created FROM version"   \
                    " UNION ALL SELECT MAX(created) AS created FROM entry) x")                               \
    X(VERSION_LOOSE, "UPDATE version SET bundle=0, state=4 WHERE version_no=?1")                             \
    X(VERSION_HELD, "SELECT 1 FROM version WHERE holder=?1 AND state IN (2, 3) LIMIT 1")                     \
    X(BUNDLE_GONE, "UPDATE version SET gone=gone+?2 WHERE version_no=?1")                                    \
    X(HALF_NEXT, "SELECT b.tenant, b.vault FROM version b WHERE " GW_SQL_HALF                                \
                 " AND (b.tenant, b.vault)>(?1, ?2) ORDER BY b.tenant, b.vault LIMIT 1")                     \
    X(HALF_MEMBERS,                                                                                          \
      "SELECT v.version_no, v.holder, v.start, v.size, b.gone, v.object, v.version FROM version b"           \
      " JOIN version v ON v.holder=b.version_no WHERE " GW_SQL_HALF                                          \
      " AND b.tenant=?1 AND b.vault=?2 AND b.version_no>?4 AND v.state=3"                                    \
      " ORDER BY b.version_no, v.start, v.version_no LIMIT ?3")                                              \
    X(REPACK_LEFT, "SELECT version_no FROM version WHERE bundle=1 AND state=1 ORDER BY version_no LIMIT 1")  \
    X(BUNDLES_GONE,                                                                                          \
      "SELECT COUNT(*), " GW_SQL_SUM("gone") " FROM version WHERE bundle=1 AND gone>0 AND state=3")          \
    X(BACKUP_GO, "DELETE FROM backup WHERE version_no=?1")                                                   \
    X(MIXED_GONE, "DELETE FROM mixed WHERE version_no=?1")                                                   \
    X(VERSION_CURRENT, "SELECT 1 FROM entry WHERE version_no=?1")                                            \
    X(MARGIN,                                                                                                \
      "SELECT MIN(" GW_SQL_MARGIN_OF ") FROM version v JOIN segment s ON s.version_no=" GW_SQL_HOLDER        \
      " JOIN layout l ON l.layout_id=s.layout_id WHERE v.version_no=?1 AND s.seq IS NOT NULL")               \
    X(DURABLE, "SELECT MIN(l.k + " GW_SQL_MARGIN_OF ") FROM version v JOIN segment s"                        \
               " ON s.version_no=" GW_SQL_HOLDER " JOIN layout l ON l.layout_id=s.layout_id"                 \
               " WHERE v.version_no=?1 AND s.seq IS NOT NULL")                                               \
    X(DURABLE_BY_CODE, "SELECT l.k, l.n, MIN(l.k + " GW_SQL_MARGIN_OF ") FROM segment s JOIN layout l"       \
                       " ON l.layout_id=s.layout_id WHERE s.version_no=?1 AND s.seq IS NOT NULL"             \
                       " GROUP BY l.k, l.n")                                                                 \
    X(BACKUP_NEW, "INSERT OR FAIL INTO backup (version_no, sealed) VALUES (?1, ?2)"                          \
                  " ON CONFLICT (version_no) DO NOTHING")                                                    \
    X(BACKUP_PUT, "INSERT INTO backup (version_no, sealed) VALUES (?1, ?2)"                                  \
                  " ON CONFLICT (version_no) DO UPDATE SET sealed=?2")                                       \
    X(BACKUP_GET, "SELECT sealed FROM backup WHERE version_no=?1")                                           \
    X(SEGMENT_RESERVE, "INSERT INTO segment (segment_id, version_no, layout_id, incarnation, salt, holder)"  \
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                   \
    X(SEGMENT_RESERVED,                                                                                      \
      "SELECT segment_id FROM segment WHERE version_no=?1 AND seq IS NULL AND segment_id>=?2 AND holder=?3"  \
      " ORDER BY segment_id")                                                                                \
    X(SEGMENT_GET, GW_SQL_SEGMENT " WHERE s.segment_id=?1")                                                  \
    X(SEGMENT_DONE, "UPDATE segment SET seq=?2, size=?3, digest=?4, last=?5"                                 \
                    " WHERE segment_id=?1 AND seq IS NULL")                                                  \
    X(SEGMENT_ADD, "INSERT INTO segment (segment_id, version_no, layout_id, incarnation, salt, seq, size,"   \
                   " digest, last, off) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                    \
                   " ON CONFLICT (segment_id) DO UPDATE SET off=?10")                                        \
    X(SEGMENT_RECODED,                                                                                       \
      "INSERT INTO segment (segment_id, version_no, layout_id, incarnation, salt, seq, size,"                \
      " digest, last, off) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                                 \
      " ON CONFLICT (segment_id) DO UPDATE SET seq=?6, size=?7, digest=?8, last=?9, off=?10")                \
    X(SEGMENT_PLACE, "SELECT size, last, off FROM segment WHERE segment_id=?1")                              \
    X(SEGMENT_MOVED_DEAD,                                                                                    \
      "INSERT INTO deadfrag (segment_id, frag, cloud_id, attempt, incarnation, salt, round, open)"           \
      " SELECT d.segment_id, d.frag, d.cloud_id, d.attempt, d.incarnation, substr(s.salt, 1, 4), 0, 1"       \
      " FROM deviation d JOIN segment s ON s.segment_id=d.segment_id WHERE d.segment_id=?1"                  \
      " AND (d.cloud_id<>d.home OR d.attempt<>0 OR d.incarnation<>s.incarnation)"                            \
      " ON CONFLICT (segment_id, frag, cloud_id, attempt, incarnation) DO UPDATE SET round=0, open=1")       \
    X(SEGMENT_TRIALS_DEAD,                                                                                   \
      "INSERT INTO deadfrag (segment_id, frag, cloud_id, attempt, incarnation, salt, round, open)"           \
      " SELECT t.segment_id, t.frag, t.cloud_id, t.attempt, t.incarnation, substr(s.salt, 1, 4), 0, 1"       \
      " FROM trial t JOIN segment s ON s.segment_id=t.segment_id WHERE t.segment_id=?1"                      \
      " ON CONFLICT (segment_id, frag, cloud_id, attempt, incarnation) DO UPDATE SET round=0, open=1")       \
    X(SEGMENT_TRIALS_GO, "DELETE FROM trial WHERE segment_id=?1")                                            \
    X(RESERVED_LIVE, "SELECT s.segment_id FROM segment s JOIN version v ON v.version_no=s.version_no"        \
                     " WHERE s.seq IS NULL AND v.state=3 AND s.segment_id>?1 ORDER BY s.segment_id LIMIT 1") \
    X(OTHER_CODE, "SELECT s.segment_id, " GW_SQL_MARGIN_OF ", l.n - l.k, s.size, s.last FROM segment s"      \
                  " JOIN layout l ON l.layout_id=s.layout_id JOIN version v ON v.version_no=s.version_no"    \
                  " WHERE s.segment_id>?1 AND s.segment_id<=?2 AND s.seq IS NOT NULL AND v.state=3"          \
                  " AND (l.k<>?3 OR l.n<>?4) ORDER BY s.segment_id")                                         \
    X(OTHER_CODE_COUNT, "SELECT COUNT(*), " GW_SQL_SUM("s.size") GW_SQL_OF_OTHER_CODE)                       \
    X(OTHER_CODE_WORK,                                                                                       \
      "SELECT COUNT(*), " GW_SQL_SUM("s.size") ", " GW_SQL_SUM("l.k") ", " GW_SQL_SUM(                       \
          "l.n") ", " GW_SQL_SUM("(s.size+l.k-1)/l.k*l.n") ", " GW_SQL_SUM("(s.size+?1-1)/?1")               \
          GW_SQL_OF_OTHER_CODE)                                                                              \
    X(OTHER_CODE_ANY, "SELECT 1" GW_SQL_OF_OTHER_CODE " LIMIT 1")                                            \
    X(TENANT_OTHER_CODE, "SELECT COUNT(*)" GW_SQL_OF_OTHER_CODE " AND v.tenant=?3")                          \
    X(LEAST_M, "SELECT MIN(l.n - l.k) FROM layout l"                                                         \
               " WHERE EXISTS (SELECT 1 FROM segment s WHERE s.layout_id=l.layout_id)")                      \
    X(LAYOUT_BOUNDS, "SELECT COALESCE(MIN(k), 0), COALESCE(MAX(n), 0) FROM layout")                          \
    X(SEGMENT_OF, "SELECT segment_id FROM segment WHERE version_no=?1 AND seq=?2")                           \
    X(SEGMENT_DEAD,                                                                                          \
      "INSERT INTO deadkey (segment_id, layout_id, incarnation, salt, absent, round, tenant, size)"          \
      " SELECT s.segment_id, s.layout_id, s.incarnation, s.salt, 0, 0, v.tenant, COALESCE(s.size, ?2)"       \
      " FROM segment s JOIN version v ON v.version_no=s.version_no WHERE s.segment_id=?1")                   \
    X(SEGMENT_DELETE, "DELETE FROM segment WHERE segment_id=?1")                                             \
    X(SEGMENT_ANY, "SELECT segment_id FROM segment WHERE version_no=?1 LIMIT 1")                             \
    X(SEGMENT_ANY_FROM, "SELECT segment_id FROM segment WHERE version_no=?1 AND (seq IS NULL OR seq>=?2)"    \
                        " LIMIT 1")                                                                          \
    X(SEGMENT_ANY_RESERVED, "SELECT segment_id FROM segment WHERE version_no=?1 AND seq IS NULL LIMIT 1")    \
    X(SEGMENTS, GW_SQL_SEGMENT " WHERE s.version_no=?1 AND s.seq>=?2 ORDER BY s.seq LIMIT ?3")               \
    X(SEGMENT_AT, GW_SQL_SEGMENT " WHERE s.version_no=?1 AND s.off<=?2 ORDER BY s.off DESC LIMIT 1")         \
    X(DEVIATE, "INSERT INTO deviation (segment_id, frag, cloud_id, attempt, state, seen, home, incarnation)" \
               " SELECT ?1, ?2, ?3, 0, ?4, ?5, ?3, s.incarnation FROM segment s WHERE s.segment_id=?1"       \
               " ON CONFLICT (segment_id, frag) DO UPDATE SET resting=0,"                                    \
               " seen=CASE WHEN deviation.state=?4 THEN deviation.seen ELSE ?5 END, state=?4")               \
    X(RANK, "UPDATE deviation SET slack=(SELECT l.n-l.k FROM segment s JOIN layout l"                        \
            " ON l.layout_id=s.layout_id WHERE s.segment_id=?1)"                                             \
            "-(SELECT COUNT(*) FROM deviation d WHERE d.segment_id=?1 AND d.state<>3)"                       \
            " WHERE segment_id=?1 AND state<>3")                                                             \
    X(DEVIATIONS, "SELECT frag, cloud_id, home, incarnation, attempt, state FROM deviation"                  \
                  " WHERE segment_id=?1")                                                                    \
    X(PLACE, "INSERT INTO deviation (segment_id, frag, cloud_id, attempt, state, seen, home, incarnation)"   \
             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (segment_id, frag)"                       \
             " DO UPDATE SET cloud_id=?3, attempt=?4, state=?5, seen=?6, incarnation=?8, resting=0")         \
    X(PLACE_HOME, "DELETE FROM deviation WHERE segment_id=?1 AND frag=?2")                                   \
    X(PLACE_FOUND, "INSERT INTO deviation (segment_id, frag, cloud_id, attempt, state, seen, home,"          \
                   " incarnation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (segment_id, frag)"    \
                   " DO UPDATE SET cloud_id=?3, attempt=?4, state=?5, seen=?6, incarnation=?8, resting=0"    \
                   " WHERE ?8>deviation.incarnation OR (?8=deviation.incarnation"                            \
                   " AND ?4>deviation.attempt)")                                                             \
    X(WINDOW, "SELECT s.segment_id, " GW_SQL_MARGIN_OF ", l.n - l.k, s.size, s.last FROM segment s"          \
              " JOIN layout l ON l.layout_id=s.layout_id JOIN version v ON v.version_no=s.version_no"        \
              " WHERE s.segment_id>?1 AND s.segment_id<=?2 AND s.seq IS NOT NULL AND v.state=3"              \
              " ORDER BY s.segment_id")                                                                      \
    X(WINDOW_ALL, "SELECT s.segment_id FROM segment s WHERE s.segment_id>?1 AND s.segment_id<=?2"            \
                  " AND (s.seq IS NOT NULL OR EXISTS (SELECT 1 FROM version v"                               \
                  " WHERE v.version_no=s.version_no AND (v.state=3 OR (v.bundle=1 AND v.state=2))))"         \
                  " ORDER BY s.segment_id")                                                                  \
    X(SEGMENT_LIVE, "SELECT 1 FROM segment s JOIN version v ON v.version_no=s.version_no"                    \
                    " WHERE s.segment_id=?1 AND s.seq IS NOT NULL AND v.state=3")                            \
    X(SEGMENT_KEPT, "SELECT 1 FROM segment s JOIN version v ON v.version_no=s.version_no"                    \
                    " WHERE s.segment_id=?1 AND s.seq IS NOT NULL AND v.state IN (1, 2, 3)")                 \
    X(ATTEMPT, "SELECT MAX(attempt) FROM (SELECT attempt FROM deviation"                                     \
               " WHERE segment_id=?1 AND frag=?2 AND incarnation=?3"                                         \
               " UNION ALL SELECT attempt FROM trial WHERE segment_id=?1 AND frag=?2 AND incarnation=?3"     \
               " UNION ALL SELECT attempt FROM deadfrag"                                                     \
               " WHERE segment_id=?1 AND frag=?2 AND incarnation=?3) AS used")                               \
    X(TRIAL_PUT, "INSERT INTO trial (segment_id, frag, cloud_id, attempt, incarnation)"                      \
                 " VALUES (?1, ?2, ?3, ?4, ?5)")                                                             \
    X(TRIAL_GET, "SELECT cloud_id, attempt, incarnation FROM trial WHERE segment_id=?1 AND frag=?2")         \
    X(TRIAL_DROP, "DELETE FROM trial WHERE segment_id=?1 AND frag=?2")                                       \
    X(DEAD_KEY_ADD, "INSERT INTO deadfrag (segment_id, frag, cloud_id, attempt, incarnation, salt, round,"   \
                    " open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 1)"                                           \
                    " ON CONFLICT (segment_id, frag, cloud_id, attempt, incarnation)"                        \
                    " DO UPDATE SET round=0, open=1")                                                        \
    X(DEAD_KEY_IS, "SELECT 1 FROM deadfrag WHERE segment_id=?1 AND frag=?2 AND cloud_id=?3 AND attempt=?4"   \
                   " AND incarnation=?5")                                                                    \
    X(DEAD_KEY_NEXT, "SELECT dead_no, segment_id, frag, cloud_id, attempt, incarnation, salt, round"         \
                     " FROM deadfrag WHERE open=1 AND dead_no>?1 ORDER BY dead_no LIMIT 1")                  \
    X(DEAD_KEY_ROUND, "UPDATE deadfrag SET round=?2, open=?3 WHERE dead_no=?1")                              \
    X(DEAD_SEGMENT, "SELECT s.segment_id, s.incarnation, s.salt, s.absent, s.round, l.k, l.n, l.clouds,"     \
                    " s.size"                                                                                \
                    " FROM deadkey s JOIN layout l ON l.layout_id=s.layout_id WHERE s.segment_id=?1")        \
    X(DEVIATION_DELETE, "DELETE FROM deviation WHERE segment_id=?1")                                         \
    X(REQUEST_GET, "SELECT kind, state, version_no, seal, number, chain, head, acked, margin_full,"          \
                   " durable_min, n, copies, clouds, degraded, following, run, request_no FROM request"      \
                   " WHERE tenant=?1 AND put_key=?2")                                                        \
    X(REQUEST_DECIDED, "SELECT request_no, version_no FROM request"                                          \
                       " WHERE tenant=?1 AND put_key=?2 AND kind=1 AND state=3 AND seal=?3")                 \
    X(REQUEST_NEW,                                                                                           \
      "INSERT OR FAIL INTO request (put_key, kind, state, version_no, seal, number, chain, head, acked,"     \
      " margin_full, durable_min, n, copies, clouds, degraded, tenant, following)"                           \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"                 \
      " ON CONFLICT (tenant, put_key) DO NOTHING")                                                           \
    X(REQUEST_PUT,                                                                                           \
      "INSERT INTO request (put_key, kind, state, version_no, seal, number, chain, head, acked,"             \
      " margin_full, durable_min, n, copies, clouds, degraded, tenant, following)"                           \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"                 \
      " ON CONFLICT (tenant, put_key) DO UPDATE SET kind=?2, state=?3, version_no=?4, seal=?5, number=?6,"   \
      " chain=?7, head=?8, acked=?9, margin_full=?10, durable_min=?11, n=?12, copies=?13,"                   \
      " clouds=?14, degraded=?15, following=?17")                                                            \
    X(REQUEST_LIVE,                                                                                          \
      "UPDATE OR FAIL request SET state=4, number=?2, chain=?3, head=?4, acked=?5, margin_full=?6,"          \
      " durable_min=?7, n=?8, copies=?9, clouds=?10, degraded=?11, following=?12"                            \
      " WHERE request_no=?1")                                                                                \
    X(REQUEST_REACHED, "UPDATE request SET acked=?3, margin_full=?4, durable_min=?5, n=?6, copies=?7,"       \
                       " clouds=?8, degraded=?9, following=?10 WHERE tenant=?1 AND put_key=?2")              \
    X(REQUEST_RUN, "UPDATE request SET run=run+1, heard=?3 WHERE tenant=?1 AND put_key=?2")                  \
    X(REQUEST_HEARD, "UPDATE request SET heard=?3 WHERE tenant=?1 AND put_key=?2 AND heard<?4")              \
    X(REQUEST_SILENT, "SELECT tenant, put_key, heard FROM request WHERE state=1 AND heard<?1"                \
                      " ORDER BY heard LIMIT 1")                                                             \
    X(REQUEST_OLDEST, "SELECT request_no, version_no FROM request WHERE tenant=?1 AND state=2"               \
                      " ORDER BY request_no LIMIT 1")                                                        \
    X(REQUEST_FORGET, "DELETE FROM request WHERE request_no=?1")                                             \
    X(VERSION_FORGET, "DELETE FROM version WHERE version_no=?1 AND state=4")                                 \
    X(REQUESTS_OPEN, "SELECT " GW_SQL_SUM("uploads") " FROM usage")                                          \
    X(TENANT_PUT,                                                                                            \
      "INSERT INTO tenant (tenant, revision, name, state, verifier, bytes, objects, uploads, requests)"      \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant) DO UPDATE SET revision=?2,"         \
      " name=?3, state=?4, verifier=?5, bytes=?6, objects=?7, uploads=?8, requests=?9")                      \
    X(TENANTS, GW_SQL_TENANT " ORDER BY tenant")                                                             \
    X(TENANT_GET, GW_SQL_TENANT " WHERE tenant=?1")                                                          \
    X(TENANT_NAMED, GW_SQL_TENANT " WHERE name=?1")                                                          \
    X(TENANT_LAST, "SELECT COUNT(*), COALESCE(MAX(tenant), 0) FROM tenant")                                  \
    X(USAGE_NEW, "INSERT INTO usage VALUES (?1, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING")             \
    X(USAGE_GET, "SELECT bytes, objects, names, uploads, vaults, given_up, dead, moves FROM usage"           \
                 " WHERE tenant=?1")                                                                         \
    X(USAGE_MOVED, "UPDATE usage SET moves=moves+1 WHERE tenant=?1")                                         \
    X(USAGE_VAULTS, "SELECT " GW_SQL_SUM("vaults") " FROM usage")                                            \
    X(TENANT_MARGINS,                                                                                        \
      "SELECT v.version, v.object, (SELECT MIN(" GW_SQL_MARGIN_OF ") FROM segment s"                         \
      " JOIN layout l ON l.layout_id=s.layout_id"                                                            \
      " WHERE s.version_no=" GW_SQL_HOLDER " AND s.seq IS NOT NULL), v.created FROM version v"               \
      " WHERE v.tenant=?1 AND (v.version, v.object)>(?2, ?3) AND v.state=3 AND v.bundle=0"                   \
      " ORDER BY v.version, v.object LIMIT ?4")                                                              \
    X(TENANT_DEBTS, "SELECT COUNT(*) FROM deviation d JOIN segment s ON s.segment_id=d.segment_id"           \
                    " JOIN version v ON v.version_no=s.version_no"                                           \
                    " WHERE d.state<3 AND v.state=3 AND v.tenant=?1")                                        \
    X(SEGMENT_SIZE_OF, "SELECT size FROM segment WHERE version_no=?1 AND seq=?2")                            \
    X(OUTBOX_PUT, "INSERT INTO outbox (log_seq, body) VALUES (?1, ?2)")                                      \
    X(OUTBOX_GET, "SELECT log_seq, body FROM outbox ORDER BY log_seq LIMIT 1")                               \
    X(OUTBOX_HAS, "SELECT 1 FROM outbox WHERE log_seq=?1")                                                   \
    X(OUTBOX_CLEAR, "DELETE FROM outbox WHERE log_seq=?1")                                                   \
    X(LOG_PUT, "INSERT INTO log (log_seq, incarnation, hash) VALUES (?1, ?2, ?3)"                            \
               " ON CONFLICT (log_seq) DO NOTHING")                                                          \
    X(LOG_GET, "SELECT incarnation, hash FROM log WHERE log_seq=?1")                                         \
    X(DEBT_ADD, "INSERT INTO log_debt (cloud_id, log_seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")           \
    X(DEBT_PAID, "DELETE FROM log_debt WHERE cloud_id=?1 AND log_seq=?2")                                    \
    X(DEBT_NEXT, "SELECT log_seq FROM log_debt WHERE cloud_id=?1 AND log_seq>?2 ORDER BY log_seq LIMIT 1")   \
    X(MEND_NEXT, "SELECT d.segment_id FROM deviation d JOIN segment s ON s.segment_id=d.segment_id"          \
                 " JOIN version v ON v.version_no=s.version_no WHERE d.state<>3 AND d.resting=0"             \
                 " AND (d.state<>2 OR d.seen<=?2 OR d.seen>?3) AND d.cloud_id=?1 AND v.state=3"              \
                 " ORDER BY d.slack, d.seen, d.segment_id LIMIT 1")                                          \
    X(MEND_REST, "UPDATE deviation SET resting=1 WHERE segment_id=?1 AND cloud_id=?2 AND state<>3")          \
    X(MEND_RESTS, "SELECT 1 FROM deviation WHERE cloud_id=?1 AND state<>3 AND resting=1 LIMIT 1")            \
    X(MEND_WAKE, "UPDATE deviation SET resting=0 WHERE cloud_id=?1 AND state<>3 AND resting=1"               \
                 " AND segment_id IN (SELECT segment_id FROM deviation WHERE cloud_id=?1 AND state<>3"       \
                 " AND resting=1 LIMIT ?2)")                                                                 \
    X(OWED, "SELECT COUNT(*), COALESCE(MIN(d.seen), 0),"                                                     \
            " (SELECT COUNT(*) FROM log_debt WHERE cloud_id=?1) FROM deviation d"                            \
            " JOIN segment s ON s.segment_id=d.segment_id JOIN version v ON v.version_no=s.version_no"       \
            " WHERE d.state<>3 AND d.state<3 AND d.cloud_id=?1 AND v.state=3")                               \
    X(FINDING_PUT,                                                                                           \
      "INSERT INTO finding (cloud_id, object_key, kind, source, pass, found, seen, ended)"                   \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0) ON CONFLICT (cloud_id, object_key) DO UPDATE SET"             \
      " kind=?3, source=?4, pass=?5, seen=?6, found=CASE WHEN finding.ended=0 THEN finding.found ELSE ?6 "   \
      "END, ended=0")                                                                                        \
    X(FINDING_TRIM, "DELETE FROM finding WHERE finding_no<=(SELECT MAX(finding_no) FROM finding)-?1")        \
    X(FINDING_END, "UPDATE finding SET ended=?3 WHERE cloud_id=?1 AND object_key=?2 AND ended=0")            \
    X(FINDINGS, "SELECT finding_no, cloud_id, object_key, kind, source, pass, found, seen, ended"            \
                " FROM finding WHERE ?1=0 OR finding_no<?1 ORDER BY finding_no DESC LIMIT ?2")               \
    X(FINDINGS_OPEN, "SELECT finding_no, cloud_id, object_key, kind, source, pass, found, seen, ended"       \
                     " FROM finding WHERE cloud_id=?1 AND ended=0 AND finding_no>?2"                         \
                     " ORDER BY finding_no LIMIT ?3")                                                        \
    X(FINDING_COUNTS, "SELECT cloud_id, kind, COUNT(*) FROM finding WHERE ended=0 GROUP BY cloud_id, kind")  \
    X(SCRUB_GET,                                                                                             \
      "SELECT wanted, pass, stage, at, next, upto, upto_log, began, spent, objects, bytes, found,"           \
      " last_began, last_ended, last_spent, last_objects, last_bytes, last_found FROM scrub"                 \
      " WHERE cloud_id=?1 AND depth=?2")                                                                     \
    X(SCRUB_PUT,                                                                                             \
      "INSERT INTO scrub (cloud_id, depth, wanted, pass, stage, at, next, upto, upto_log, began, spent,"     \
      " objects, bytes, found, last_began, last_ended, last_spent, last_objects, last_bytes, last_found)"    \
      " VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"    \
      " ON CONFLICT (cloud_id, depth) DO UPDATE SET pass=?3, stage=?4, at=?5, next=?6, upto=?7,"             \
      " upto_log=?8, began=?9, spent=?10, objects=?11, bytes=?12, found=?13, last_began=?14,"                \
      " last_ended=?15, last_spent=?16, last_objects=?17, last_bytes=?18, last_found=?19")                   \
    X(SCRUB_WANT, "UPDATE scrub SET wanted=?3 WHERE cloud_id=?1 AND depth=?2")                               \
    X(SEEN_PUT, "INSERT INTO scrub_seen (cloud_id, chunk, bits) VALUES (?1, ?2, ?3)"                         \
                " ON CONFLICT (cloud_id, chunk) DO UPDATE SET bits=?3")                                      \
    X(SEEN_GET, "SELECT chunk, bits FROM scrub_seen WHERE cloud_id=?1 AND chunk>?2 ORDER BY chunk LIMIT 1")  \
    X(SEEN_DROP, "DELETE FROM scrub_seen WHERE cloud_id=?1")                                                 \
    X(MEND_COUNT, "SELECT COUNT(*), COALESCE(MIN(d.seen), 0) FROM deviation d"                               \
                  " JOIN segment s ON s.segment_id=d.segment_id"                                             \
                  " JOIN version v ON v.version_no=s.version_no"                                             \
                  " WHERE d.state<>3 AND d.state>3 AND d.cloud_id=?1 AND v.state=3")                         \
    X(DEAD_NEXT, "SELECT s.segment_id, s.incarnation, s.salt, s.absent, s.round, l.k, l.n, l.clouds, s.size" \
                 " FROM deadkey s JOIN layout l ON l.layout_id=s.layout_id"                                  \
                 " WHERE s.segment_id>?1 AND s.round<?2 ORDER BY s.segment_id LIMIT 1")                      \
    X(DEAD_AGAIN, "UPDATE deadkey SET absent=0, round=0 WHERE segment_id=?1")                                \
    X(DEAD_PUT, "UPDATE deadkey SET absent=?2, round=?3 WHERE segment_id=?1")                                \
    X(COUNT_OBJECTS, "SELECT COUNT(*), " GW_SQL_SUM("size") " FROM entry WHERE kind=1")                      \
    X(COUNT_VERSIONS, "SELECT COUNT(*) FROM version WHERE state=3 AND bundle=0")                             \
    X(OLDEST_VERSION, "SELECT created FROM version WHERE state=3 ORDER BY version_no LIMIT 1")               \
    X(LIVE_AFTER, "SELECT version_no FROM version WHERE version_no>?1 AND state=3 AND bundle=0"              \
                  " ORDER BY version_no LIMIT ?2")                                                           \
    X(COUNT_DEBTS, "SELECT COUNT(*) FROM deviation d JOIN segment s ON s.segment_id=d.segment_id"            \
                   " JOIN version v ON v.version_no=s.version_no WHERE d.state<3 AND v.state=3")             \
    X(COUNT_RECORD_DEBTS, "SELECT COUNT(*) FROM log_debt")                                                   \
    X(COUNT_DEAD, "SELECT (SELECT COUNT(*) FROM deadkey WHERE round<?1)"                                     \
                  " + (SELECT COUNT(*) FROM deadfrag WHERE open=1)")                                         \
    X(DEVIANT_VERSIONS, "SELECT s.version_no FROM deviation d JOIN segment s"                                \
                        " ON s.segment_id=d.segment_id JOIN version v ON v.version_no=s.version_no"          \
                        " WHERE v.state=3 AND v.bundle=0 UNION SELECT v.version_no FROM deviation d"         \
                        " JOIN segment s ON s.segment_id=d.segment_id JOIN version v"                        \
                        " ON v.holder=s.version_no WHERE v.state=3 AND v.holder<>0"                          \
                        " UNION SELECT v.version_no FROM mixed m JOIN version v"                             \
                        " ON v.version_no=m.version_no WHERE v.state=3 AND v.bundle=0"                       \
                        " UNION SELECT v.version_no FROM mixed m JOIN version v"                             \
                        " ON v.holder=m.version_no WHERE v.state=3 AND v.holder<>0")                         \
    X(SNAP_PUT,                                                                                              \
      "INSERT INTO snapshot (incarnation, serial, notes, first, last, bytes, state, round, clouds)"          \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (incarnation, serial)"                       \
      " DO UPDATE SET state=?7, round=?8, clouds=?9")                                                        \
    X(SNAP_LAST, "SELECT incarnation, serial, notes, first, last, bytes, state, round, clouds FROM snapshot" \
                 " WHERE state=2 AND notes=?1 ORDER BY last DESC, incarnation DESC, serial DESC LIMIT 1")    \
    X(SNAP_NEXT, "SELECT incarnation, serial, notes, first, last, bytes, state, round, clouds FROM snapshot" \
                 " WHERE state=?1 AND (incarnation, serial)>(?2, ?3) ORDER BY incarnation, serial LIMIT 1")  \
    X(SNAP_DROP, "DELETE FROM snapshot WHERE incarnation=?1 AND serial=?2")                                  \
    X(SNAP_COUNTS, "SELECT COUNT(*), " GW_SQL_SUM("bytes") " FROM snapshot WHERE state=2 AND notes=0")       \
    X(SNAP_COVERED, "UPDATE snapshot SET state=3 WHERE state=2 AND notes=0 AND first>=?1 AND last<=?2"       \
                    " AND NOT (incarnation=?3 AND serial=?4)")                                               \
    X(SNAP_OLD_NOTES,                                                                                        \
      "UPDATE snapshot SET state=3 WHERE state=2 AND notes=1"                                                \
      " AND NOT (incarnation=?1 AND serial=?2) AND (incarnation, serial) NOT IN"                             \
      " (SELECT incarnation, serial FROM snapshot WHERE state=2 AND notes=1"                                 \
      " AND NOT (incarnation=?1 AND serial=?2) ORDER BY incarnation DESC, serial DESC LIMIT ?3)")            \
    X(SNAP_ABANDON, "UPDATE snapshot SET state=3 WHERE state=1")                                             \
    X(NOTE_UNCOUNTED,                                                                                        \
      "SELECT segment_id, frag, attempt, cloud_id, incarnation, state FROM deviation"                        \
      " WHERE state>3 AND (segment_id, frag)>(?1/32, ?1%32) ORDER BY segment_id, frag LIMIT ?2")             \
    X(NOTE_DEAD_KEYS, "SELECT dead_no, segment_id, frag, attempt, cloud_id, incarnation, salt FROM deadfrag" \
                      " WHERE open=1 AND dead_no>?1 ORDER BY dead_no LIMIT ?2")                              \
    X(NOTE_DEAD_SEGMENTS, "SELECT d.segment_id, d.tenant, d.incarnation, d.salt, d.size, l.k, l.n, l.clouds" \
                          " FROM deadkey d JOIN layout l ON l.layout_id=d.layout_id"                         \
                          " WHERE d.round<2 AND d.segment_id>?1 ORDER BY d.segment_id LIMIT ?2")             \
    X(NOTED_DEAD_SEGMENT, "INSERT INTO deadkey (segment_id, layout_id, incarnation, salt, absent, round,"    \
                          " tenant, size) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6)"                             \
                          " ON CONFLICT (segment_id) DO UPDATE SET absent=0, round=0")                       \
    X(DEAD_SWEPT, "UPDATE deadkey SET round=?1 WHERE round<?1")                                              \
    X(DEAD_FRAGS_SWEPT, "UPDATE deadfrag SET open=0 WHERE open=1")                                           \
    X(MIXED_GO, "DELETE FROM mixed WHERE version_no=?1 AND CASE WHEN EXISTS (SELECT 1 FROM segment s"        \
                " WHERE s.version_no=?1 AND s.seq>?3 AND s.layout_id<>?2) THEN 1"                            \
                " WHEN EXISTS (SELECT 1 FROM segment s WHERE s.version_no=?1 AND s.seq IS NOT NULL"          \
                " AND s.layout_id<>?2) THEN 1 ELSE 0 END=0")                                                 \
    X(MIXED_ADD, "INSERT INTO mixed (version_no) VALUES (?1) ON CONFLICT DO NOTHING")                        \
    X(ALL_SEGMENTS, "SELECT segment_id FROM segment WHERE segment_id>?1 ORDER BY segment_id LIMIT ?2")       \
    X(REBUILT_VERSIONS, "UPDATE version SET acked=(SELECT MIN(" GW_SQL_MARGIN_OF ")"                         \
                        " FROM version v JOIN segment s ON s.version_no=" GW_SQL_HOLDER                      \
                        " JOIN layout l ON l.layout_id=s.layout_id"                                          \
                        " WHERE v.version_no=version.version_no) WHERE state=3")                             \
    X(REBUILT_REQUESTS, "UPDATE request SET acked=v.acked, margin_full=f.n-f.k, n=f.n, copies=?1,"           \
                        " clouds=?2, durable_min=(SELECT MIN(l.k + " GW_SQL_MARGIN_OF ") FROM segment s"     \
                        " JOIN layout l ON l.layout_id=s.layout_id WHERE s.version_no=" GW_SQL_HOLDER ")"    \
                        " FROM version v JOIN version h ON h.version_no=" GW_SQL_HOLDER                      \
                        " JOIN layout f ON f.layout_id=h.layout_id"                                          \
                        " WHERE request.kind=1 AND v.version_no=request.version_no AND v.state=3")           \
    X(REBUILT_COUNTS, "SELECT (SELECT COUNT(*) FROM vault), (SELECT COUNT(*) FROM entry WHERE kind=1),"      \
                      " (SELECT COUNT(*) FROM version WHERE state=3 AND bundle=0),"                          \
                      " (SELECT COUNT(*) FROM entry WHERE kind=2),"                                          \
                      " (SELECT " GW_SQL_SUM("size") " FROM version WHERE state=3 AND bundle=0),"            \
                                                     " (SELECT COUNT(*) FROM tenant)")                       \
    X(SOUND_VERSIONS,                                                                                        \
      "SELECT l.n - l.k - l.lost, COUNT(*) FROM version v JOIN version h"                                    \
      " ON h.version_no=" GW_SQL_HOLDER " JOIN layout l ON l.layout_id=h.layout_id"                          \
      " WHERE v.state=3 AND v.bundle=0 AND NOT EXISTS (SELECT 1 FROM segment s JOIN deviation d"             \
      " ON d.segment_id=s.segment_id WHERE s.version_no=h.version_no)"                                       \
      " AND NOT EXISTS (SELECT 1 FROM mixed m WHERE m.version_no=h.version_no)"                              \
      " GROUP BY l.n - l.k - l.lost")

/* A sum, of nothing too, as a number like others: PostgreSQL's own has another type. */
#define GW_SQL_SUM(what) "CAST(COALESCE(SUM(" what "), 0) AS BIGINT)"
/* Bundle b is half dead, or more: what lives in it is put into another one (repack.c). As the index has it.
 */
#define GW_SQL_HALF "b.bundle=1 AND b.gone>0 AND b.gone*2>=b.size AND b.state=3"
_Static_assert(QC_GW_REPACK_DEAD == 50, "GW_SQL_HALF, and version_half in cat_schema.c");
/* Whose segments hold version v: its bundle's, or its own. */
#define GW_SQL_HOLDER "(CASE WHEN v.holder=0 THEN v.version_no ELSE v.holder END)"
/* 1 or 0 */
#define GW_SQL_IS(condition) "(CASE WHEN " condition " THEN 1 ELSE 0 END)"
/* Margin of segment s with layout l. l.lost has the fragments whose home is lost; the rows correct it: one
 * that is not there, or that moved to a cloud that is lost, counts once. */
#define GW_SQL_MARGIN_OF                                                                                     \
    "l.n - l.lost - l.k - (SELECT " GW_SQL_SUM(GW_SQL_IS(                                                    \
        "d.state<>3 OR c.lost=1") "-h.lost") " FROM deviation d JOIN cloud c ON c.cloud_id=d.cloud_id JOIN " \
                                             "cloud h ON h.cloud_id=d.home"                                  \
                                             " WHERE d.segment_id=s.segment_id)"
/* From layouts to their segments, in this order: where none has another code, no segment is looked at. */
#define GW_SQL_OF_OTHER_CODE                                                                                 \
    " FROM layout l CROSS JOIN segment s CROSS JOIN version v WHERE (l.k<>?1 OR l.n<>?2)"                    \
    " AND s.layout_id=l.layout_id AND s.seq IS NOT NULL AND v.version_no=s.version_no AND v.state=3"
#define GW_SQL_ENTRY                                                                                         \
    "SELECT e.path, e.number, e.kind, e.sequence, e.size, e.m, e.private, e.seal, e.created, e.version_no,"  \
    " v.object, v.version, v.acked, f.n - f.k, (SELECT MIN(" GW_SQL_MARGIN_OF ") FROM segment s"             \
    " JOIN layout l ON l.layout_id=s.layout_id WHERE s.version_no=h.version_no AND s.seq IS NOT NULL)"       \
    " FROM entry e LEFT JOIN version v ON v.version_no=e.version_no"                                         \
    " LEFT JOIN version h ON h.version_no=" GW_SQL_HOLDER " LEFT JOIN layout f ON f.layout_id=h.layout_id"
#define GW_SQL_VERSION                                                                                       \
    "SELECT version_no, vault, object, version, put_key, base, size, segments, layout_id, created, state,"   \
    " acked, tenant, holder, start, bundle, kept FROM version"
#define GW_SQL_TENANT                                                                                        \
    "SELECT tenant, revision, name, state, verifier, bytes, objects, uploads, requests FROM tenant"
#define GW_SQL_SEGMENT                                                                                       \
    "SELECT s.segment_id, s.incarnation, s.salt, l.k, l.n, l.clouds, s.seq, s.size, s.digest, s.last, "      \
    "s.off,"                                                                                                 \
    " v.object, v.version, v.base, v.tenant FROM segment s JOIN layout l ON l.layout_id=s.layout_id"         \
    " JOIN version v ON v.version_no=s.version_no"

enum gw_sql {
#define X(name, text) GW_SQL_##name,
    GW_SQL_TABLE(X)
#undef X
        GW_SQL_COUNT
};

enum { GW_PAGE = 1024 }; /* rows of one answer, where there may be many */

struct gw_cat {
    struct qc_db *db;
    struct qc_stmt *stmts[GW_SQL_COUNT];
    atomic_bool broken; /* may be read without the lock, like the next */
    atomic_bool over;   /* for its session is */
    char over_why[QC_ERR_MSG_MAX];
    pthread_mutex_t lock; /* guards all of the above */
};

enum {
    GW_CAT_APPLICATION = 0x51434C43, /* QCLC: the file's header */
};

/* Make the tables, or bring an older program's up to date, after a copy was made. path: of its file; NULL: it
 * has none. QC_NEWER; QC_FULL: no room for the copy. (cat_schema.c) */
QC_MUST qc_rc gw_cat_schema(struct gw_cat *c, const char *path, struct qc_err *err);
/* A copy of a catalogue that has this schema, beside it and durable. (cat_keep.c) */
QC_MUST qc_rc gw_cat_keep(struct gw_cat *c, const char *path, uint32_t version, struct qc_err *err);

/* The prepared statement, reset. QC_IO: the catalogue is broken. */
QC_MUST qc_rc gw_cat_stmt(struct gw_cat *c, enum gw_sql which, struct qc_stmt **ret, struct qc_err *err);

/* GW_RUN(c, WHICH, err, QC_VI(..), ..): prepare, bind, run a statement without rows. */
#define GW_RUN(c, which, err, ...)                                                                           \
    gw_cat_run((c), GW_SQL_##which, (const struct qc_val[]){ __VA_ARGS__ },                                  \
               sizeof((const struct qc_val[]){ __VA_ARGS__ }) / sizeof(struct qc_val), (err))
#define GW_RUN0(c, which, err) gw_cat_run((c), GW_SQL_##which, NULL, 0, (err))
QC_MUST qc_rc gw_cat_run(struct gw_cat *c, enum gw_sql which, const struct qc_val *vals, size_t count,
                         struct qc_err *err);
/* The same for a query: bound, on its first row or at its end. End it with gw_rows_end: QC_CLEANUP. */
struct gw_rows {
    struct qc_stmt *s;
    bool row;
};
#define GW_QUERY(c, which, rows, err, ...)                                                                   \
    gw_cat_query((c), GW_SQL_##which, (const struct qc_val[]){ __VA_ARGS__ },                                \
                 sizeof((const struct qc_val[]){ __VA_ARGS__ }) / sizeof(struct qc_val), (rows), (err))
#define GW_QUERY0(c, which, rows, err) gw_cat_query((c), GW_SQL_##which, NULL, 0, (rows), (err))
QC_MUST qc_rc gw_cat_query(struct gw_cat *c, enum gw_sql which, const struct qc_val *vals, size_t count,
                           struct gw_rows *rows, struct qc_err *err);
QC_MUST qc_rc gw_rows_next(struct gw_rows *rows, struct qc_err *err);
void gw_rows_end(struct gw_rows *rows);

/* Rows of a window: GW_WINDOW elements. (cat_repair.c) */
QC_MUST qc_rc gw_window_rows(struct gw_rows *q, struct gw_window_row *rows, unsigned *ret_count,
                             struct qc_err *err);
/* Some row of the segment changed: the places of its rows in the queue follow. In a transaction. */
QC_MUST qc_rc gw_cat_rank(struct gw_cat *c, uint64_t segment_id, struct qc_err *err);

/* An N of so many bytes has gone from its bundle, in a transaction. (cat_version.c) */
QC_MUST qc_rc gw_cat_bundle_leave(struct gw_cat *c, uint64_t bundle_no, uint64_t size, struct qc_err *err);

/* Columns. */
QC_MUST qc_rc gw_col_id(struct qc_stmt *s, int i, struct gw_id *ret, struct qc_err *err);
QC_MUST qc_rc gw_col_u32(struct qc_stmt *s, int i, uint32_t *ret, struct qc_err *err);
QC_MUST qc_rc gw_col_layout(struct qc_stmt *s, int k_at, struct gw_log_layout *ret, struct qc_err *err);
/* A row of GW_SQL_SEGMENT; off is 0 while the version is not live. */
QC_MUST qc_rc gw_col_segment(struct qc_stmt *s, struct gw_segment *ret, uint64_t *ret_offset,
                             struct qc_err *err);
