/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Directory streams, with and without attributes. */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pt_dir *dir_of(const struct fuse_file_info *fi)
{
	return (struct pt_dir *)(uintptr_t)fi->fh;
}

static void do_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct pt_dir *d = calloc(1, sizeof(*d));
	int fd, err = ENOMEM;

	if (!d)
		goto fail;
	fd = openat(pt_inode(req, ino)->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		goto fail;
	}
	d->dp = fdopendir(fd);
	if (!d->dp) {
		err = errno;
		close(fd);
		goto fail;
	}
	fi->fh = (uintptr_t)d;
	if (fuse_reply_open(req, fi) != 0) {
		closedir(d->dp);
		free(d);
	}
	return;
fail:
	free(d);
	fuse_reply_err(req, err);
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/*
 * Adds one entry; returns its size, more than `room` when it did not fit, and
 * sets *err when it could not be looked up.
 */
static size_t add_entry(fuse_req_t req, fuse_ino_t parent, bool plus, char *at, size_t room,
			const struct dirent *ent, int *err)
{
	struct fuse_entry_param e = {
		.attr.st_ino = ent->d_ino,
		.attr.st_mode = (mode_t)ent->d_type << 12,
	};
	size_t size;

	*err = 0;
	if (!plus)
		return fuse_add_direntry(req, at, room, ent->d_name, &e.attr, ent->d_off);
	if (!is_dot(ent->d_name)) {
		*err = pt_lookup_entry(req, parent, ent->d_name, &e);
		/* Removed since the directory was read: as if it had not been there. */
		if (*err)
			return 0;
	}
	size = fuse_add_direntry_plus(req, at, room, ent->d_name, &e, ent->d_off);
	if (size > room && e.ino)
		pt_inode_put(&pt_fs(req)->table, e.ino, 1);
	return size;
}

static void fill(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		 struct fuse_file_info *fi, bool plus)
{
	struct pt_dir *d = dir_of(fi);
	char *buf = malloc(size);
	size_t used = 0;
	int err = 0;

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (offset != d->offset) {
		seekdir(d->dp, offset);
		d->ahead = NULL;
		d->offset = offset;
	}
	for (;;) {
		size_t n;

		if (!d->ahead) {
			errno = 0;
			d->ahead = readdir(d->dp);
			if (!d->ahead) {
				err = errno;
				break;
			}
		}
		n = add_entry(req, ino, plus, buf + used, size - used, d->ahead, &err);
		if (err && err != ENOENT)
			break;
		if (n > size - used)
			break;
		used += n;
		d->offset = d->ahead->d_off;
		d->ahead = NULL;
	}
	/* What is there already must go out: its lookups are counted. */
	if (err && err != ENOENT && used == 0)
		fuse_reply_err(req, err);
	else
		fuse_reply_buf(req, buf, used);
	free(buf);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	fill(req, ino, size, offset, fi, false);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			   struct fuse_file_info *fi)
{
	fill(req, ino, size, offset, fi, true);
}

static void do_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct pt_dir *d = dir_of(fi);

	(void)ino;
	closedir(d->dp);
	free(d);
	fuse_reply_err(req, 0);
}

static void do_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
			struct fuse_file_info *fi)
{
	int fd = dirfd(dir_of(fi)->dp);

	(void)ino;
	fuse_reply_err(req, (datasync ? fdatasync(fd) : fsync(fd)) == 0 ? 0 : errno);
}

void pt_ops_dir(struct fuse_lowlevel_ops *ops)
{
	ops->opendir = do_opendir;
	ops->readdir = do_readdir;
	ops->readdirplus = do_readdirplus;
	ops->releasedir = do_releasedir;
	ops->fsyncdir = do_fsyncdir;
}
