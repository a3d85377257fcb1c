/* Every fault point: name, where it stands. Modules append rows to their own block; a point that is not here
 * does not compile. Tests name points by these names (base/fault.h). */
#pragma once

#define QC_FAULT_POINT_TABLE(X)                                                                              \
    /* base */                                                                                               \
    X(file_tmp_written, "the temporary file has its bytes, before fsync")                                    \
    X(file_tmp_synced, "after fsync of the temporary file, before the rename")                               \
    X(file_renamed, "after the rename, before fsync of the directory")                                       \
    X(db_commit, "before COMMIT")                                                                            \
    X(db_committed, "after COMMIT")
