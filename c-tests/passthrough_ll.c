/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ferro_passthrough: shows the tree given with -o source=DIR, by the low-level API.
 * Its data takes the paths worth testing and measuring: reads reply with a file
 * descriptor (fuse_reply_data), writes arrive as a buffer vector (write_buf).
 *
 * Usage: passthrough_ll MOUNTPOINT -f [-s] -o source=DIR[,option...]
 */
#include "passthrough.h"
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#define OPT(text, field, value) { text, offsetof(struct pt_fs, field), value }

static const struct fuse_opt options[] = {
	OPT("source=%s", source, 0),
	OPT("timeout=%lf", timeout, 0),
	OPT("entry_timeout=%lf", entry_timeout, 0),
	OPT("attr_timeout=%lf", attr_timeout, 0),
	OPT("negative_timeout=%lf", negative_timeout, 0),
	OPT("writeback", writeback, 1),
	OPT("no_writeback", writeback, 0),
	OPT("no_splice", no_splice, 1),
	OPT("no_xattr", no_xattr, 1),
	OPT("no_readdirplus", no_readdirplus, 1),
	OPT("direct_io", direct_io, 1),
	OPT("keep_cache", keep_cache, 1),
	OPT("no_flush", no_flush, 1),
	FUSE_OPT_END
};

static void want_if_capable(struct fuse_conn_info *conn, unsigned int flag)
{
	conn->want |= conn->capable & flag;
}

static void do_init(void *userdata, struct fuse_conn_info *conn)
{
	struct pt_fs *fs = userdata;
	const unsigned int splice =
		FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_SPLICE_READ;

	/* Here and not earlier: /proc/self of before the fork would be the parent. */
	fs->proc_fd = open("/proc/self/fd", O_PATH | O_CLOEXEC);
	if (fs->proc_fd < 0)
		perror("passthrough: /proc/self/fd");
	if (fs->no_splice)
		conn->want &= ~splice;
	else
		want_if_capable(conn, splice);
	if (fs->writeback)
		want_if_capable(conn, FUSE_CAP_WRITEBACK_CACHE);
	else
		conn->want &= ~(unsigned int)FUSE_CAP_WRITEBACK_CACHE;
	fuse_apply_conn_info_opts(fs->conn_opts, conn);
}

static void do_destroy(void *userdata)
{
	(void)userdata;
	daemon_say("destroy\n");
}

static int set_up(struct pt_fs *fs)
{
	int err;

	if (!fs->source) {
		fprintf(stderr, "passthrough: -o source=DIR is missing\n");
		return -1;
	}
	err = pt_table_init(&fs->table, fs->source);
	if (err) {
		fprintf(stderr, "passthrough: source %s: %s\n", fs->source, strerror(err));
		return -1;
	}
	/* timeout= stands for those of the two that are not given. */
	if (fs->entry_timeout < 0)
		fs->entry_timeout = fs->timeout;
	if (fs->attr_timeout < 0)
		fs->attr_timeout = fs->timeout;
	return 0;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_lowlevel_ops ops = { .init = do_init, .destroy = do_destroy };
	struct pt_fs fs = {
		.proc_fd = -1, .timeout = 1.0, .entry_timeout = -1, .attr_timeout = -1,
		.table.root.fd = -1,
	};
	struct daemon_spec spec = { .ops = &ops, .ops_size = sizeof(ops), .userdata = &fs };
	int status = 1;

	pthread_mutex_init(&fs.lock_users.lock, NULL);
	if (fuse_opt_parse(&args, &fs, options, NULL) != 0)
		return 1;
	fs.conn_opts = fuse_parse_conn_info_opts(&args);
	if (fs.conn_opts && set_up(&fs) == 0) {
		pt_ops_meta(&ops);
		pt_ops_names(&ops);
		pt_ops_dir(&ops);
		pt_ops_file(&ops);
		pt_ops_locks(&ops);
		if (fs.no_readdirplus)
			ops.readdirplus = NULL;
		status = daemon_run(&args, &spec);
	}
	pt_table_destroy(&fs.table);
	if (fs.proc_fd >= 0)
		close(fs.proc_fd);
	pthread_mutex_destroy(&fs.lock_users.lock);
	free(fs.lock_users.user);
	free(fs.conn_opts);
	free(fs.source);
	return status;
}
