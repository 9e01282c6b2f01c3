/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Every public function with arguments that no caller should give it. It must come back, and
 * with what stands beside it: an error where the function has one, or nothing done.
 */
#ifndef FERRO_BAD_ARGS_H
#define FERRO_BAD_ARGS_H

#include "session_api.h"

#include <errno.h>
#include <limits.h>

/* A call that is to give a number. */
#define IS(want, call) expect((long long)(want), (long long)(call), #call)
/* A pointer that is to be NULL. */
#define IS_NULL(call) expect(0, (call) != NULL, #call)
/* A function that returns nothing, or anything. */
#define RETURNS(call) ((void)(call), returned())

void expect(long long want, long long got, const char *call);
void returned(void);

void bad_sessions(void); /* bad_args_session.c */
void bad_requests(void);
void bad_paths(void);    /* bad_args_paths.c */
void bad_newest(void);   /* bad_args_newest.c */

#endif
