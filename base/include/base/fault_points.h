/* Every fault point: name, where it stands. Modules append rows to their own block; a point that is not here
 * does not compile. Tests name points by these names (base/fault.h). */
#pragma once

#define QC_FAULT_POINT_TABLE(X)                                                                              \
    /* base */                                                                                               \
    X(file_tmp_written, "the temporary file has its bytes, before fsync")                                    \
    X(file_tmp_synced, "after fsync of the temporary file, before the rename")                               \
    X(file_renamed, "after the rename, before fsync of the directory")                                       \
    X(db_commit, "before COMMIT")                                                                            \
    X(db_committed, "after COMMIT")                                                                          \
    /* cloud */                                                                                              \
    X(cloud_tmp_made, "directory cloud: the temporary file exists, empty")                                   \
    X(cloud_tmp_written, "directory cloud: all bytes written, before fdatasync")                             \
    X(cloud_tmp_synced, "directory cloud: after fdatasync, before the final name")                           \
    X(cloud_tmp_linked, "directory cloud: the temporary name exists, before the rename over an object")      \
    X(cloud_published, "directory cloud: the final name exists, before fsync of its directory")              \
    X(cloud_unlinked, "directory cloud: the name is gone, before fsync of its directory")                    \
    /* qrng */                                                                                               \
    X(qrng_fill, "before a source of randomness is asked for bytes")
