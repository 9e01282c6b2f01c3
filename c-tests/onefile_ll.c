/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One file, "/file", with the content of a file or block device of any kind, and
 * with the largest requests that the program asks for. API level 312.
 *
 *   onefile_ll MNT -o path=SOURCE[,max_write=BYTES]
 *
 * When it ends it prints the largest read and write request that it was sent.
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

#define FILE_INO 2

struct onefile {
	char *path;
	unsigned int max_write;
	int fd;
	off_t size;
	size_t largest_read, largest_write; /* served with -s where it matters */
};

static const struct fuse_opt options[] = {
	{ "path=%s", offsetof(struct onefile, path), 0 },
	{ "max_write=%u", offsetof(struct onefile, max_write), 0 },
	FUSE_OPT_END,
};

static void do_init(void *userdata, struct fuse_conn_info *conn)
{
	struct onefile *f = userdata;

	if (f->max_write) {
		conn->max_write = f->max_write;
		conn->max_readahead = f->max_write;
	}
}

static struct stat attributes(const struct onefile *f, fuse_ino_t ino)
{
	struct stat st = { .st_ino = ino, .st_nlink = 1, .st_mode = S_IFDIR | 0755 };

	if (ino == FILE_INO) {
		st.st_mode = S_IFREG | 0644;
		st.st_size = f->size;
	}
	return st;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct onefile *f = fuse_req_userdata(req);
	struct fuse_entry_param e = { .ino = FILE_INO, .attr_timeout = 1.0, .entry_timeout = 1.0 };

	if (parent != FUSE_ROOT_ID || strcmp(name, "file") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.attr = attributes(f, FILE_INO);
	fuse_reply_entry(req, &e);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = attributes(fuse_req_userdata(req), ino);

	(void)fi;
	fuse_reply_attr(req, &st, 1.0);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct onefile *f = fuse_req_userdata(req);
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	(void)ino;
	(void)fi;
	if (size > f->largest_read)
		f->largest_read = size;
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = f->fd;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, 0);
}

static void do_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
			 struct fuse_file_info *fi)
{
	struct onefile *f = fuse_req_userdata(req);
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fuse_buf_size(in));
	ssize_t res;

	(void)ino;
	(void)fi;
	if (out.buf[0].size > f->largest_write)
		f->largest_write = out.buf[0].size;
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = f->fd;
	out.buf[0].pos = off;
	res = fuse_buf_copy(&out, in, 0);
	if (res < 0)
		fuse_reply_err(req, (int)-res);
	else
		fuse_reply_write(req, (size_t)res);
}

static void do_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	const struct onefile *f = fuse_req_userdata(req);

	(void)ino;
	(void)datasync;
	(void)fi;
	fuse_reply_err(req, fsync(f->fd) == 0 ? 0 : errno);
}

static void do_destroy(void *userdata)
{
	const struct onefile *f = userdata;

	daemon_say("read=%zu write=%zu\n", f->largest_read, f->largest_write);
}

static const struct fuse_lowlevel_ops operations = {
	.init = do_init, .destroy = do_destroy, .lookup = do_lookup, .getattr = do_getattr,
	.open = do_open, .read = do_read, .write_buf = do_write_buf, .fsync = do_fsync,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct onefile f = { .fd = -1 };
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .userdata = &f,
	};
	int status;

	if (fuse_opt_parse(&args, &f, options, NULL) != 0 || !f.path)
		return 1;
	f.fd = open(f.path, O_RDWR | O_CLOEXEC);
	if (f.fd < 0)
		f.fd = open(f.path, O_RDONLY | O_CLOEXEC);
	if (f.fd < 0) {
		perror(f.path);
		return 1;
	}
	f.size = lseek(f.fd, 0, SEEK_END);
	status = daemon_run(&args, &spec);
	close(f.fd);
	free(f.path);
	return status;
}
