/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Every public function of libfuse 2 with arguments that no caller should give it. It must come back, and with
 * what stands beside it: an error where the function has one, or nothing done.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

/* A call that is to give a number. */
#define IS(want, call) expect((long long)(want), (long long)(call), #call)
/* A pointer that is to be NULL. */
#define IS_NULL(call) expect(0, (call) != NULL, #call)
/* A function that returns nothing, or anything. */
#define RETURNS(call) ((void)(call))

void expect(long long want, long long got, const char *call);

void bad_sessions(void); /* bad_args2_session.c */
void bad_paths(void);    /* bad_args2_paths.c */
