/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A session that is served by a loop with workers, then by one with a single thread,
 * then by workers again, by a loop of the program's own and once more by workers; with -s
 * by a single thread, workers and a single thread.
 *
 * In each loop, clients on every processor look at the root, and the last thing one of
 * them asks for ends the loop. While a single thread serves, handlers may not overlap.
 *
 * Usage: two_loops MOUNTPOINT [-s] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOKS 60
#define CLIENTS_EACH 2

static struct fuse_session *session;
static atomic_int running, most;

static void begin(void)
{
	int now = atomic_fetch_add(&running, 1) + 1;
	int seen = atomic_load(&most);

	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	usleep(100);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = { .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	(void)fi;
	begin();
	atomic_fetch_sub(&running, 1);
	fuse_reply_attr(req, &st, 0);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	begin();
	atomic_fetch_sub(&running, 1);
	if (strcmp(name, "exit") == 0)
		fuse_session_exit(session);
	fuse_reply_err(req, ENOENT);
}

static const struct fuse_lowlevel_ops ops = { .getattr = do_getattr, .lookup = do_lookup };

/* One client: 0 if all went well. */
static int look(const char *mountpoint, int processor)
{
	cpu_set_t set;
	struct stat st;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set); /* where it may not run it runs elsewhere */
	for (int i = 0; i < LOOKS; i++)
		if (stat(mountpoint, &st) != 0)
			return 1;
	return 0;
}

/* All clients of one loop, in processes of their own. */
static int clients(const char *mountpoint)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char path[4096];
	struct stat st;
	int failed = 0, status;

	for (int i = 0; i < processors * CLIENTS_EACH; i++)
		if (fork() == 0)
			_exit(look(mountpoint, (int)(i % processors)));
	while (wait(&status) > 0)
		failed |= status;
	snprintf(path, sizeof(path), "%s/exit", mountpoint);
	failed |= stat(path, &st) == 0 || errno != ENOENT;
	return failed != 0;
}

enum loop { WORKERS, SINGLE, OWN };
static const char *const loop_names[] = { "workers", "single", "own" };

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

static int serve(const char *mountpoint, enum loop loop)
{
	int single = loop != WORKERS;
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int status = 0, result;
	pid_t child;

	atomic_store(&most, 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(clients(mountpoint));
	if (loop == OWN)
		result = own_loop();
	else
		result = single ? fuse_session_loop(session) : fuse_session_loop_mt(session, config);
	fuse_session_reset(session);
	fuse_loop_cfg_destroy(config);
	waitpid(child, &status, 0);
	printf("%s: loop=%d clients=%s%s\n", loop_names[loop], result,
	       status == 0 ? "served" : "FAILED",
	       single && atomic_load(&most) != 1 ? " FAIL handlers overlap" : "");
	return result != 0 || status != 0 || (single && atomic_load(&most) != 1);
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts opts;
	int failed = 0;

	if (fuse_parse_cmdline(&args, &opts) != 0 || !opts.mountpoint)
		return 2;
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, opts.mountpoint) != 0)
		return 3;
	alarm(50); /* a hang ends here */
	for (int i = 0; i < 3; i++)
		failed |= serve(opts.mountpoint, (i + opts.singlethread) % 2 ? SINGLE : WORKERS);
	if (!opts.singlethread) {
		failed |= serve(opts.mountpoint, OWN);
		failed |= serve(opts.mountpoint, WORKERS);
	}
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	free(opts.mountpoint);
	fuse_opt_free_args(&args);
	printf("end\n");
	return failed;
}
