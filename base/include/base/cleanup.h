/* Scope-bound ownership. Layer 0.
 *
 * A destructor takes the address of the owner, accepts an empty one and leaves it empty: twice is harmless.
 */
#pragma once

/* Call fn(&variable) when the variable leaves its scope. Cleanup at birth, never later. To own is a use:
 * unused. */
#define QC_CLEANUP(fn) __attribute__((cleanup(fn), unused))

/* The value of v, whose owner is from now on somebody else; v is empty (all zero) again. */
#define QC_STEAL(v)                                                                                          \
    __extension__({                                                                                          \
        __typeof__(v) stolen_ = (v);                                                                         \
        (v) = (__typeof__(v)){ 0 };                                                                          \
        stolen_;                                                                                             \
    })
