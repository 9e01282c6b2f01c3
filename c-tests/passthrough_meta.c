/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Attributes, extended attributes, access and statfs. */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

struct pt_path pt_proc_path(int fd)
{
	struct pt_path p;

	snprintf(p.s, sizeof(p.s), "/proc/self/fd/%d", fd);
	return p;
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int fd = fi ? (int)fi->fh : pt_inode(req, ino)->fd;

	if (fstatat(fd, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_attr(req, &st, pt_fs(req)->attr_timeout);
}

static int set_times(int fd, const struct stat *attr, int valid)
{
	struct timespec tv[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	if (valid & FUSE_SET_ATTR_ATIME_NOW)
		tv[0].tv_nsec = UTIME_NOW;
	else if (valid & FUSE_SET_ATTR_ATIME)
		tv[0] = attr->st_atim;
	if (valid & FUSE_SET_ATTR_MTIME_NOW)
		tv[1].tv_nsec = UTIME_NOW;
	else if (valid & FUSE_SET_ATTR_MTIME)
		tv[1] = attr->st_mtim;
	return utimensat(fd, "", tv, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

static void do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int valid,
		       struct fuse_file_info *fi)
{
	int ifd = pt_inode(req, ino)->fd;
	struct pt_path path = pt_proc_path(ifd);
	int res = 0;

	if (valid & FUSE_SET_ATTR_MODE)
		res = fi ? fchmod((int)fi->fh, attr->st_mode) : chmod(path.s, attr->st_mode);
	if (res == 0 && (valid & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))) {
		uid_t uid = valid & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
		gid_t gid = valid & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;

		res = fchownat(ifd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
	}
	if (res == 0 && (valid & FUSE_SET_ATTR_SIZE))
		res = fi ? ftruncate((int)fi->fh, attr->st_size)
			 : truncate(path.s, attr->st_size);
	if (res == 0 && (valid & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)))
		res = set_times(ifd, attr, valid);
	if (res != 0)
		fuse_reply_err(req, errno);
	else
		do_getattr(req, ino, fi);
}

static void do_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct pt_path path = pt_proc_path(pt_inode(req, ino)->fd);

	fuse_reply_err(req, access(path.s, mask) == 0 ? 0 : errno);
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (fstatvfs(pt_inode(req, ino)->fd, &st) != 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &st);
}

/*
 * The two readers of extended attributes: size 0 asks for the length only, any
 * other size must hold the whole value (ERANGE comes from the source itself).
 */
static void reply_value(fuse_req_t req, size_t size,
			ssize_t (*fetch)(const char *, const char *, void *, size_t),
			const char *path, const char *name)
{
	char *value = NULL;
	ssize_t len;

	if (size > 0) {
		value = malloc(size);
		if (!value) {
			fuse_reply_err(req, ENOMEM);
			return;
		}
	}
	len = fetch(path, name, value, size);
	if (len < 0)
		fuse_reply_err(req, errno);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)len);
	else
		fuse_reply_buf(req, value, (size_t)len);
	free(value);
}

static ssize_t fetch_value(const char *path, const char *name, void *buf, size_t size)
{
	return getxattr(path, name, buf, size);
}

static ssize_t fetch_list(const char *path, const char *name, void *buf, size_t size)
{
	(void)name;
	return listxattr(path, buf, size);
}

static void do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct pt_path path = pt_proc_path(pt_inode(req, ino)->fd);

	if (pt_fs(req)->no_xattr)
		fuse_reply_err(req, ENOSYS);
	else
		reply_value(req, size, fetch_value, path.s, name);
}

static void do_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct pt_path path = pt_proc_path(pt_inode(req, ino)->fd);

	if (pt_fs(req)->no_xattr)
		fuse_reply_err(req, ENOSYS);
	else
		reply_value(req, size, fetch_list, path.s, NULL);
}

static void do_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			const char *value, size_t size, int flags)
{
	struct pt_path path = pt_proc_path(pt_inode(req, ino)->fd);

	if (pt_fs(req)->no_xattr)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_err(req, setxattr(path.s, name, value, size, flags) == 0 ? 0 : errno);
}

static void do_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct pt_path path = pt_proc_path(pt_inode(req, ino)->fd);

	if (pt_fs(req)->no_xattr)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_err(req, removexattr(path.s, name) == 0 ? 0 : errno);
}

void pt_ops_meta(struct fuse_lowlevel_ops *ops)
{
	ops->getattr = do_getattr;
	ops->setattr = do_setattr;
	ops->access = do_access;
	ops->statfs = do_statfs;
	ops->getxattr = do_getxattr;
	ops->listxattr = do_listxattr;
	ops->setxattr = do_setxattr;
	ops->removexattr = do_removexattr;
}
