/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The smallest filesystem whose files make the session end in each possible way.
 * Reading a file does what it is named after:
 *   hello         nothing more
 *   slow          the handler takes 300 ms
 *   exit_handler  fuse_session_exit() in the handler, before the reply
 *   exit_thread   fuse_session_exit() by another thread, 200 ms after the reply
 * SIGUSR1 calls fuse_session_exit() from a signal handler of the program.
 *
 * Usage: hello_ll MOUNTPOINT -f [-s] [-o loops=N]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 30

#include <fuse_lowlevel.h>
#include "daemon.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

struct hello {
	struct fuse_session *se;
	int loops;
};

static const char *const names[] = { "hello", "slow", "exit_handler", "exit_thread" };
enum { HELLO = 2, SLOW, EXIT_HANDLER, EXIT_THREAD, END };
static const char text[] = "hello, kernel\n";

static struct fuse_session *signal_session;

static const struct fuse_opt options[] = {
	{ "loops=%d", offsetof(struct hello, loops), 0 },
	FUSE_OPT_END
};

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
	st->st_nlink = ino == FUSE_ROOT_ID ? 2 : 1;
	st->st_size = ino == FUSE_ROOT_ID ? 0 : (off_t)sizeof(text) - 1;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .attr_timeout = 0, .entry_timeout = 0 };

	for (fuse_ino_t ino = HELLO; parent == FUSE_ROOT_ID && ino < END; ino++) {
		if (strcmp(name, names[ino - HELLO]) == 0) {
			e.ino = ino;
			attr(ino, &e.attr);
			fuse_reply_entry(req, &e);
			return;
		}
	}
	fuse_reply_err(req, ENOENT);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void *exit_later(void *arg)
{
	usleep(200000);
	fuse_session_exit(arg);
	return NULL;
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct hello *h = fuse_req_userdata(req);
	size_t len = sizeof(text) - 1;
	pthread_t thread;

	(void)fi;
	if ((size_t)off >= len) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	if (ino == SLOW)
		usleep(300000);
	if (ino == EXIT_HANDLER)
		fuse_session_exit(h->se);
	if (ino == EXIT_THREAD && pthread_create(&thread, NULL, exit_later, h->se) == 0)
		pthread_detach(thread);
	len -= (size_t)off;
	fuse_reply_buf(req, text + off, len < size ? len : size);
}

static void do_destroy(void *userdata)
{
	(void)userdata;
	daemon_say("destroy\n");
}

static void on_usr1(int sig)
{
	(void)sig;
	fuse_session_exit(signal_session);
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	struct hello *h = userdata;
	struct sigaction sa = { .sa_handler = on_usr1 };

	h->se = signal_session = se;
	sigaction(SIGUSR1, &sa, NULL);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.getattr = do_getattr,
	.open = do_open,
	.read = do_read,
	.destroy = do_destroy,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct hello h = { .loops = 1 };
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .userdata = &h,
		.session_ready = session_ready,
	};

	if (fuse_opt_parse(&args, &h, options, NULL) != 0)
		return 1;
	spec.loops = h.loops;
	return daemon_run(&args, &spec);
}
