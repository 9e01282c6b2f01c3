/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Open files: their data moves between descriptors through the library. */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void set_cache_mode(const struct pt_fs *fs, struct fuse_file_info *fi)
{
	if (fs->direct_io)
		fi->direct_io = 1;
	if (fs->keep_cache)
		fi->keep_cache = 1;
}

/*
 * With the write-back cache the kernel reads where the program only writes, and
 * it appends by itself.
 */
static int source_flags(const struct pt_fs *fs, int flags)
{
	if (fs->writeback) {
		if ((flags & O_ACCMODE) == O_WRONLY)
			flags = (flags & ~O_ACCMODE) | O_RDWR;
		flags &= ~O_APPEND;
	}
	/* The kernel side has aligned nothing for the source's sake. */
	return (flags & ~(O_NOFOLLOW | O_DIRECT)) | O_CLOEXEC;
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct pt_fs *fs = pt_fs(req);
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%d", pt_inode(req, ino)->fd);
	fd = openat(fs->proc_fd, name, source_flags(fs, fi->flags));
	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = (uint64_t)fd;
	set_cache_mode(fs, fi);
	if (fuse_reply_open(req, fi) != 0)
		close(fd);
}

static void do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	struct pt_fs *fs = pt_fs(req);
	struct fuse_entry_param e;
	int fd, err;

	fd = openat(pt_inode(req, parent)->fd, name,
		    (source_flags(fs, fi->flags) | O_CREAT) & ~O_NOCTTY, mode);
	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	err = pt_lookup_entry(req, parent, name, &e);
	if (err) {
		close(fd);
		fuse_reply_err(req, err);
		return;
	}
	fi->fh = (uint64_t)fd;
	set_cache_mode(fs, fi);
	if (fuse_reply_create(req, &e, fi) != 0) {
		close(fd);
		pt_inode_put(&fs->table, e.ino, 1);
	}
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	(void)ino;
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = (int)fi->fh;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, FUSE_BUF_SPLICE_MOVE);
}

static void do_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
			 struct fuse_file_info *fi)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fuse_buf_size(in));
	ssize_t n;

	(void)ino;
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = (int)fi->fh;
	out.buf[0].pos = off;
	n = fuse_buf_copy(&out, in, 0);
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_write(req, (size_t)n);
}

static void do_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct pt_fs *fs = pt_fs(req);

	(void)ino;
	if (fs->no_flush) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	pt_locks_flush(fs, (int)fi->fh, fi->lock_owner);
	/* close() of a duplicate reports what a close of the file would report. */
	fuse_reply_err(req, close(dup((int)fi->fh)) == 0 ? 0 : errno);
}

static void do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	pt_locks_forget(pt_fs(req), (int)fi->fh);
	close((int)fi->fh);
	fuse_reply_err(req, 0);
}

static void do_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	int fd = (int)fi->fh;

	(void)ino;
	fuse_reply_err(req, (datasync ? fdatasync(fd) : fsync(fd)) == 0 ? 0 : errno);
}

static void do_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_err(req, fallocate((int)fi->fh, mode, offset, length) == 0 ? 0 : errno);
}

static void do_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		     struct fuse_file_info *fi)
{
	off_t res = lseek((int)fi->fh, off, whence);

	(void)ino;
	if (res < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_lseek(req, res);
}

static void do_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			       struct fuse_file_info *fi_in, fuse_ino_t ino_out,
			       off_t off_out, struct fuse_file_info *fi_out, size_t len,
			       int flags)
{
	ssize_t n = copy_file_range((int)fi_in->fh, &off_in, (int)fi_out->fh, &off_out, len,
				    (unsigned int)flags);

	(void)ino_in;
	(void)ino_out;
	if (n < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_write(req, (size_t)n);
}

void pt_ops_file(struct fuse_lowlevel_ops *ops)
{
	ops->open = do_open;
	ops->create = do_create;
	ops->read = do_read;
	ops->write_buf = do_write_buf;
	ops->flush = do_flush;
	ops->release = do_release;
	ops->fsync = do_fsync;
	ops->fallocate = do_fallocate;
	ops->lseek = do_lseek;
	ops->copy_file_range = do_copy_file_range;
}
