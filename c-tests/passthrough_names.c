/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Everything that makes, finds, moves or removes a name; and forget. */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int dir_fd(fuse_req_t req, fuse_ino_t ino)
{
	return pt_inode(req, ino)->fd;
}

static void reply_new(fuse_req_t req, fuse_ino_t parent, const char *name, int res)
{
	struct fuse_entry_param e;
	int err = res == 0 ? pt_lookup_entry(req, parent, name, &e) : errno;

	if (err)
		fuse_reply_err(req, err);
	else
		pt_reply_entry(req, &e);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	int err = pt_lookup_entry(req, parent, name, &e);

	if (err == ENOENT && pt_fs(req)->negative_timeout > 0) {
		memset(&e, 0, sizeof(e));
		e.entry_timeout = pt_fs(req)->negative_timeout;
		fuse_reply_entry(req, &e);
	} else if (err) {
		fuse_reply_err(req, err);
	} else {
		pt_reply_entry(req, &e);
	}
}

static void do_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	pt_inode_put(&pt_fs(req)->table, ino, nlookup);
	fuse_reply_none(req);
}

static void do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *f)
{
	for (size_t i = 0; i < count; i++)
		pt_inode_put(&pt_fs(req)->table, f[i].ino, f[i].nlookup);
	fuse_reply_none(req);
}

static void do_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(dir_fd(req, ino), "", target, sizeof(target) - 1);

	if (n < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	target[n] = '\0';
	fuse_reply_readlink(req, target);
}

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		     dev_t rdev)
{
	reply_new(req, parent, name, mknodat(dir_fd(req, parent), name, mode, rdev));
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	reply_new(req, parent, name, mkdirat(dir_fd(req, parent), name, mode));
}

static void do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		       const char *name)
{
	reply_new(req, parent, name, symlinkat(target, dir_fd(req, parent), name));
}

static void do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct pt_path path = pt_proc_path(dir_fd(req, ino));

	reply_new(req, parent, name,
		  linkat(AT_FDCWD, path.s, dir_fd(req, parent), name, AT_SYMLINK_FOLLOW));
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(dir_fd(req, parent), name, 0) == 0 ? 0 : errno);
}

static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(dir_fd(req, parent), name, AT_REMOVEDIR) == 0 ? 0 : errno);
}

static void do_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t newparent, const char *newname, unsigned int flags)
{
	int res = renameat2(dir_fd(req, parent), name, dir_fd(req, newparent), newname, flags);

	fuse_reply_err(req, res == 0 ? 0 : errno);
}

void pt_ops_names(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = do_lookup;
	ops->forget = do_forget;
	ops->forget_multi = do_forget_multi;
	ops->readlink = do_readlink;
	ops->mknod = do_mknod;
	ops->mkdir = do_mkdir;
	ops->symlink = do_symlink;
	ops->link = do_link;
	ops->unlink = do_unlink;
	ops->rmdir = do_rmdir;
	ops->rename = do_rename;
}
