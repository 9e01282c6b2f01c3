/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A session that is served by a loop with workers, then by one with a single thread,
 * then by workers again, by a loop of the program's own and once more by workers; with -s
 * by a single thread, workers and a single thread, by a loop of the program's own and once
 * more by a single thread. What is served: two_loops.h.
 *
 * Usage: two_loops [threads] MOUNTPOINT [-s] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>

#include "two_loops.h"

/* The program reads by itself. */
static int own_loop(void)
{
	struct fuse_buf buf = { .mem = NULL };
	int result = 0;

	while (!fuse_session_exited(session)) {
		result = fuse_session_receive_buf(session, &buf);
		if (result == -EINTR)
			continue;
		if (result <= 0)
			break;
		fuse_session_process_buf(session, &buf);
	}
	free(buf.mem);
	return result < 0 ? result : 0;
}

static int single_loop(void)
{
	return fuse_session_loop(session);
}

static int workers(void)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int result = fuse_session_loop_mt(session, config);

	fuse_loop_cfg_destroy(config);
	return result;
}

int main(int argc, char **argv)
{
	threads = argc > 1 && strcmp(argv[1], "threads") == 0;

	struct fuse_args args = FUSE_ARGS_INIT(argc - threads, argv + threads);
	struct fuse_cmdline_opts opts;
	int failed = 0;

	if (fuse_parse_cmdline(&args, &opts) != 0 || !opts.mountpoint)
		return 2;
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, opts.mountpoint) != 0)
		return 3;
	alarm(50); /* a hang ends here */
	for (int i = 0; i < 5; i++)
		if (i == 3)
			failed |= serve(opts.mountpoint, "own", own_loop, 1);
		else if ((i + opts.singlethread) % 2)
			failed |= serve(opts.mountpoint, "single", single_loop, 1);
		else
			failed |= serve(opts.mountpoint, "workers", workers, 0);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	free(opts.mountpoint);
	fuse_opt_free_args(&args);
	printf("end\n");
	return failed;
}
