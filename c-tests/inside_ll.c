/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Notifications from inside handlers, on libfuse 3: see inside.h.
 *
 * Usage: inside_ll MOUNTPOINT -f [-s]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"
#include "inside.h"

static struct fuse_session *session;

static int inval_inode(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_inval_inode(session, ino, 0, 0);
}

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(session, parent, name, strlen(name));
}

static int expire_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_expire_entry(session, parent, name, strlen(name),
						 FUSE_LL_EXPIRE_ONLY);
}

static int delete_entry(fuse_ino_t parent, fuse_ino_t child, const char *name)
{
	return fuse_lowlevel_notify_delete(session, parent, child, name, strlen(name));
}

static int store(fuse_ino_t ino, char *page)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(PAGE);

	buf.buf[0].mem = page;
	return fuse_lowlevel_notify_store(session, ino, 0, &buf, 0);
}

static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	(void)userdata;
	session = se;
}

static const struct fuse_lowlevel_ops operations = {
	.init = ll_init,
	.lookup = ll_lookup,
	.getattr = ll_getattr,
	.setattr = ll_setattr,
	.open = ll_open,
	.read = ll_read,
	.write = ll_write,
	.mkdir = ll_mkdir,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .session_ready = session_ready,
	};

	prepare_data();
	return daemon_run(&args, &spec);
}
