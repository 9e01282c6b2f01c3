/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The session API over a scripted kernel; see session_api.h.
 *
 * Usage: session_api [--own]
 *   --own  the library is the one under test: adds the checks which need what the
 *          installed library does not have, or does not survive
 */
#include "session_api.h"

#include <signal.h>
#include <string.h>

int main(int argc, char **argv)
{
	bool own = argc > 1 && strcmp(argv[1], "--own") == 0;

	/* A write to a closed socket is an error to look at, not the end. */
	signal(SIGPIPE, SIG_IGN);
	test_new();
	test_init(own);
	test_requests();
	test_compat();
	test_replies();
	test_direntries();
	test_notify(own);
	test_interrupts();
	test_loops();
	test_bufs();
	test_splice();
	if (own) {
		mute(true);
		test_malformed();
		test_misuse();
		mute(false);
	}
	say("failures: %d\n", failures());
	return failures() ? 1 : 0;
}
