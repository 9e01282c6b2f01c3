/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem that does everything wrong, for FERROFUSE_CHECK=1. Looking up a
 * name does what it says:
 *   twice    two answers
 *   garbage  an answer to a number that is no request, then a good one
 *   wrong    data, where an entry is asked for
 *   never    no answer
 *   inside   a notification about the directory that the look-up holds
 *   node     gives node 2 out; reading its attributes is all right
 *
 * Usage: misuse_ll MOUNTPOINT -f [-s]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"

#include <errno.h>

static struct fuse_session *session;

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_nlink = 1;
	st->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = 2, .attr_timeout = 0, .entry_timeout = 0 };

	if (strcmp(name, "node") == 0) {
		attr(2, &e.attr);
		fuse_reply_entry(req, &e);
		return;
	}
	if (strcmp(name, "never") == 0)
		return;
	if (strcmp(name, "wrong") == 0) {
		fuse_reply_buf(req, name, strlen(name));
		return;
	}
	if (strcmp(name, "garbage") == 0)
		daemon_say("garbage %d\n", fuse_reply_err((fuse_req_t)0x1230, ENOENT));
	if (strcmp(name, "inside") == 0)
		daemon_say("inside %d\n",
			   fuse_lowlevel_notify_inval_entry(session, parent, name, strlen(name)));
	fuse_reply_err(req, ENOENT);
	if (strcmp(name, "twice") == 0)
		daemon_say("twice %d\n", fuse_reply_err(req, ENOENT));
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	(void)userdata;
	session = se;
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.getattr = do_getattr,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .session_ready = session_ready,
	};

	return daemon_run(&args, &spec);
}
