/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What every test filesystem does around its operation table: parse the
 * command line, make the session, mount, run the loop and report how it ended.
 *
 * The report goes to stdout, one line per step, so that a driver can compare
 * it between two libraries:
 *     mounted
 *     loop=N            what the loop returned
 *     end
 *
 * Include it after FUSE_USE_VERSION and <fuse_lowlevel.h>: it calls the loop of
 * the API level that the program chose, so the programs together cover all of them.
 */
#ifndef FERRO_DAEMON_H
#define FERRO_DAEMON_H

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct daemon_spec {
	const struct fuse_lowlevel_ops *ops;
	size_t ops_size;
	void *userdata;
	/* Called with the session once it exists, before mounting; may be NULL. */
	void (*session_ready)(struct fuse_session *se, void *userdata);
	/* How often the loop is entered; 0 means once. */
	int loops;
};

static inline void daemon_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

/* One open descriptor per known inode: take what the system grants. */
static inline void daemon_raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

static inline int daemon_loop(struct fuse_session *se,
			      const struct fuse_cmdline_opts *opts)
{
	if (opts->singlethread)
		return fuse_session_loop(se);
#if FUSE_USE_VERSION < 32
	return fuse_session_loop_mt(se, opts->clone_fd);
#elif FUSE_USE_VERSION < 312
	struct fuse_loop_config cfg = {
		.clone_fd = opts->clone_fd,
		.max_idle_threads = opts->max_idle_threads,
	};
	return fuse_session_loop_mt(se, &cfg);
#else
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();
	int ret;

	if (!cfg)
		return -1;
	fuse_loop_cfg_set_clone_fd(cfg, (unsigned int)opts->clone_fd);
	fuse_loop_cfg_set_max_threads(cfg, opts->max_threads);
	if (opts->max_idle_threads != (unsigned int)-1)
		fuse_loop_cfg_set_idle_threads(cfg, opts->max_idle_threads);
	ret = fuse_session_loop_mt(se, cfg);
	fuse_loop_cfg_destroy(cfg);
	return ret;
#endif
}

/*
 * Runs the filesystem; `args` has lost the program's own options already.
 * Returns the exit status: 0 for every loop that could be entered, because the
 * loop's own result is on stdout; 2 to 5 name the step that failed.
 */
static inline int daemon_run(struct fuse_args *args, const struct daemon_spec *spec)
{
	struct fuse_cmdline_opts opts;
	struct fuse_session *se;
	int status = 0;

	umask(0);
	daemon_raise_fd_limit();
	if (fuse_parse_cmdline(args, &opts) != 0)
		return 2;
	if (!opts.mountpoint) {
		fprintf(stderr, "no mountpoint given\n");
		fuse_opt_free_args(args);
		return 2;
	}
	se = fuse_session_new(args, spec->ops, spec->ops_size, spec->userdata);
	if (!se) {
		status = 3;
		goto out_args;
	}
	if (fuse_set_signal_handlers(se) != 0) {
		status = 4;
		goto out_session;
	}
	if (spec->session_ready)
		spec->session_ready(se, spec->userdata);
	if (fuse_session_mount(se, opts.mountpoint) != 0) {
		status = 5;
		goto out_signals;
	}
	if (!opts.foreground)
		fuse_daemonize(0);
	daemon_say("mounted\n");
	for (int i = 0; i < (spec->loops > 0 ? spec->loops : 1); i++) {
		int ret = daemon_loop(se, &opts);

		daemon_say("loop=%d\n", ret);
		/* Up to 3.17 the loop has done this; later ones leave the exit flag set. */
		fuse_session_reset(se);
	}
	fuse_session_unmount(se);
out_signals:
	fuse_remove_signal_handlers(se);
out_session:
	fuse_session_destroy(se);
out_args:
	free(opts.mountpoint);
	fuse_opt_free_args(args);
	if (status == 0)
		daemon_say("end\n");
	return status;
}

#endif
